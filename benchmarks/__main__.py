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

from benchmarks import (
    cold_import,
    custodian,
    digest,
    evaluator,
    incident,
    intake,
    judge,
    replay,
    rollback,
    storm,
)
from benchmarks.rows import Row, publish, replaced, table, write

RESULTS = Path(__file__).parent / "results.json"
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
# In the order of the table. Each yields the rows whose names begin with a prefix, and what it measures with them.
SECTIONS: tuple[Callable[[str], Iterator[Row]], ...] = (
    cold_import.rows,
    intake.rows,
    custodian.rows,
    replay.rows,
    incident.rows,
    storm.rows,
    evaluator.rows,
    judge.rows,
    rollback.rows,
    digest.rows,
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the product.")
    parser.add_argument("--only", default="", metavar="PREFIX", help="rows whose names begin so")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    wanted = parser.parse_args()
    rows: list[Row] = []
    for section in SECTIONS:
        if measured := list(section(wanted.only)):
            rows += measured
            keep(
                replaced(RESULTS, measured)
            )  # a section that fails does not cost what the others took minutes for
    if not rows:
        parser.error(f"no row is called {wanted.only}...")
    if not wanted.only:
        keep(rows)
    if wanted.json:
        print(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False))
    else:
        print(table(rows))
    return 1 if any(row.ok is False for row in rows) else 0


def keep(rows: list[Row]) -> None:
    """Write the results, and the table on the page."""
    write(rows, notes(), RESULTS)
    publish(table(rows), notes(), PAGE)


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
