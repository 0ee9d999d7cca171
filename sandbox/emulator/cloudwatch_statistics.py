"""Turns stored datapoints into one statistic per period, as CloudWatch does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ministack.services import cloudwatch

from sandbox.emulator.cloudwatch_store import window
from sandbox.emulator.wrapping import original
from selfright.domain.alarms import Metric
from selfright.domain.errors import BadInputError

BASIC = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")


@dataclass(frozen=True, slots=True)
class Bucket:
    """One period that has data: its start (epoch seconds), the statistic, and how many samples are behind it."""

    start: float
    value: float
    samples: float


def buckets(metric: Metric, period: int, start: float, end: float) -> list[Bucket]:
    """The periods from `start` (each `period` seconds, counted from `start`) that have data before `end`.

    Raises BadInputError for a statistic that the sandbox does not compute (trimmed means and their like).
    """
    check_statistic(metric.stat)
    by_period: dict[int, list[dict[str, Any]]] = {}
    for point in window(metric.namespace, metric.name, metric.dimensions, start, end):
        if metric.unit is None or point["Unit"] == metric.unit:
            by_period.setdefault(int((point["Timestamp"] - start) // period), []).append(point)
    found = []
    for place, points in sorted(by_period.items()):
        stats = original(cloudwatch, "_calc_stats")(points)
        value = original(cloudwatch, "_stat_value")(stats, metric.stat, points) if stats else None
        if value is not None:
            found.append(Bucket(start + place * period, float(value), float(stats["SampleCount"])))
    return found


def check_statistic(stat: str) -> None:
    if stat not in BASIC and not original(cloudwatch, "_is_percentile_stat")(stat):
        raise BadInputError("Stat", f"{stat} is not computed by the sandbox: {', '.join(BASIC)} and pNN are")
