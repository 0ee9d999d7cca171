"""Alarms and points as tests of this folder write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from selfright.domain.alarms import AlarmDefinition, Point

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def put_metric_alarm(**changes: Any) -> dict[str, Any]:
    """PutMetricAlarm: errors above 5 in 2 of 3 minutes. A change to None takes the argument away."""
    alarm = {
        "AlarmName": "errors",
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
    } | changes
    return {key: value for key, value in alarm.items() if value is not None}


def definition(**changes: Any) -> AlarmDefinition:
    return AlarmDefinition.parse(put_metric_alarm(**changes))


def points(*values: float | None, samples: float | None = None) -> list[Point]:
    return [Point(START + place * MINUTE, value, samples) for place, value in enumerate(values)]


def drawn(text: str) -> list[Point]:
    """Points as AWS draws them, against the threshold 5: "0 - X"."""
    return points(*({"0": 1.0, "X": 9.0, "-": None}[mark] for mark in text.split()))


def metric_query(name: str, **changes: Any) -> dict[str, Any]:
    stat = {"Metric": {"Namespace": "Shop", "MetricName": name}, "Period": 60, "Stat": "Sum"} | changes
    return {"Id": name, "MetricStat": stat, "ReturnData": False}


def math_alarm(expression: str, *names: str, **changes: Any) -> dict[str, Any]:
    """PutMetricAlarm on an expression over metrics with these ids."""
    plain = ("Namespace", "MetricName", "Statistic", "Period")
    queries = [*map(metric_query, names), {"Id": "e1", "Expression": expression}]
    return put_metric_alarm(Metrics=queries, **dict.fromkeys(plain), **changes)
