"""results.json and the page that is made from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from reliability.scenes import Result

RESULTS = Path(__file__).parent / "results.json"


def write(results: Sequence[Result], discovered: Sequence[str], notes: dict[str, str], file: Path) -> None:
    rows = [result.as_row() for result in results]
    content = {"notes": notes, "discovered": list(discovered), "results": rows}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
