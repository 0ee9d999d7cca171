"""Measure, print a table, write benchmarks/results.json. Ratios, because machines differ and ours is busy."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from selfright.domain.alarms import AlarmDefinition, Point, evaluate_series

RESULTS = Path(__file__).parent / "results.json"
POINTS = 43_200  # one a minute for thirty days
ROUNDS = 5
MICROSECONDS = 1e6


def main() -> int:
    """0 where every budget is kept."""
    rows = [evaluator_series()]
    RESULTS.write_text(json.dumps(rows, indent=2) + "\n")
    table = Table(box=None, pad_edge=False)
    for heading in rows[0]:
        table.add_column(heading)
    for row in rows:
        table.add_row(*(f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()))
    Console(soft_wrap=True).print(table)
    return 0 if all(row["ok"] for row in rows) else 1


def evaluator_series() -> dict[str, str | float | bool | None]:
    """A 2-of-3 alarm over a month of minutes, against comparing each value with the threshold and nothing else."""
    definition = AlarmDefinition.parse(
        {
            "AlarmName": "bench",
            "Namespace": "bench",
            "MetricName": "value",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": 2,
            "Threshold": 5,
            "ComparisonOperator": "GreaterThanThreshold",
        }
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)
    points = [Point(start + timedelta(minutes=i), float(i % 11)) for i in range(POINTS)]
    ours, floor = interleaved(
        lambda: evaluate_series(definition, points),
        lambda: [p.value is not None and p.value > 5 for p in points],
    )
    return {
        "name": "evaluator.series",
        "value": ours / POINTS * MICROSECONDS,
        "unit": "µs a point",
        "against": "one comparison a point",
        "ratio": ours / floor,
        "budget": None,
        "ok": True,
    }


def interleaved(*runs: Callable[[], object]) -> list[float]:
    """Median CPU seconds of each, taken in turns so that they meet the same machine."""
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(ROUNDS):
        for run, taken in zip(runs, seconds, strict=True):
            began = time.process_time()
            run()
            taken.append(time.process_time() - began)
    return [statistics.median(taken) for taken in seconds]


if __name__ == "__main__":
    sys.exit(main())
