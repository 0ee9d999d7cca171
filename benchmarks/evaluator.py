"""evaluator.series: the alarm evaluator over a day of minutes of many alarms, against NumPy."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.rounds import BenchmarkError
from benchmarks.rows import Row, judged
from sandbox.server import ROOT
from selfright.domain.alarms import AlarmDefinition, Point, State, evaluate_series

ALARMS, POINTS = 1000, 1440
M, N, THRESHOLD = 2, 3, 0.8
FLOOR_ROUNDS = 9
PYTHON = ROOT / ".envs" / "bench" / "bin" / "python"
PROGRAM = Path(__file__).parent / "series_floor.py"


def rows(only: str) -> Iterator[Row]:
    if not "evaluator.series".startswith(only):
        return
    if not PYTHON.exists():
        raise BenchmarkError("NumPy is not installed; run `make bench`")
    arguments = [str(value) for value in (ALARMS, POINTS, M, N, FLOOR_ROUNDS, THRESHOLD)]
    floor = json.loads(subprocess.check_output([str(PYTHON), str(PROGRAM), *arguments]))  # noqa: S603
    seconds, alarm = _ours()
    if alarm != floor["alarm"]:
        raise BenchmarkError(f"{alarm} states are ALARM here, {floor['alarm']} there")
    against = statistics.median(floor["seconds"])
    note = (
        f"{ALARMS} alarms x {POINTS} points, {M} of {N}; {seconds / ALARMS / POINTS * 1e6:.2f} µs a point "
        "with missing data, reasons and low samples, which the floor does not know"
    )
    yield judged("evaluator.series", seconds, "CPU s", "NumPy cumulative sums", seconds / against, None, note)


def _ours() -> tuple[float, int]:
    """CPU seconds of evaluating every series, and how many whole windows are in ALARM."""
    definition = AlarmDefinition.parse(
        {
            "AlarmName": "a",
            "Namespace": "Bench",
            "MetricName": "m",
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": N,
            "DatapointsToAlarm": M,
            "Threshold": THRESHOLD,
            "ComparisonOperator": "GreaterThanThreshold",
        }
    )
    dice, start = random.Random(1), datetime(2026, 11, 23, tzinfo=UTC)  # noqa: S311 - a series, no secret
    times = [start + timedelta(minutes=n) for n in range(POINTS)]
    seconds, alarm = 0.0, 0
    for _ in range(ALARMS):
        points = [Point(at, dice.random()) for at in times]
        began = time.process_time()
        evaluations = evaluate_series(definition, points)
        seconds += time.process_time() - began
        alarm += sum(1 for e in evaluations[N:] if e.state is State.ALARM)
    return seconds, alarm
