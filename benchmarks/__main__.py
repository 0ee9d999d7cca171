"""python -m benchmarks [--only PREFIX] [--json]: measure and print a table.

Writes benchmarks/results.json and the table of docs/performance.md; a part of a run replaces its own rows there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import cold_import, digest, evaluator, incident, intake, storm
from benchmarks.rows import Row, publish, replaced, table, write

RESULTS = Path(__file__).parent / "results.json"
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
# In the order of the table. Each yields the rows whose names begin with the wanted prefix.
SECTIONS: tuple[Callable[[str], Iterator[Row]], ...] = (
    cold_import.rows,
    intake.rows,
    incident.rows,
    storm.rows,
    evaluator.rows,
    digest.rows,
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the product.")
    parser.add_argument("--only", default="", metavar="PREFIX", help="rows whose names begin so")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    wanted = parser.parse_args()
    rows = [row for section in SECTIONS for row in section(wanted.only) if row.name.startswith(wanted.only)]
    if not rows:
        parser.error(f"no row is called {wanted.only}...")
    if wanted.json:
        print(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False))
    else:
        print(table(rows))
    everything = replaced(RESULTS, rows) if wanted.only else rows
    write(everything, notes(), RESULTS)
    publish(table(everything), notes(), PAGE)
    return 1 if any(row.ok is False for row in rows) else 0


def notes() -> dict[str, str]:
    """What a reader needs to compare two results."""
    return {
        "measured": f"{datetime.now(UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}",
        "ratios": "compare ratios, not seconds: both sides of each ran interleaved in the same run",
    }


if __name__ == "__main__":
    sys.exit(main())
