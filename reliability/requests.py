"""Requests of a release's functions, as CloudWatch would have them from Lambda, minute by minute.

Nobody calls the functions: real users would be too many for a minute that lasts half a second.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

REQUESTS, FAILING = 400, 200  # a minute and version: far more than the 59 that a gate wants
TOLD_AHEAD = 60  # minutes; CloudWatch takes two hours: API_PutMetricData
AT_ONCE = 1000  # datapoints that PutMetricData takes


def tell_cloudwatch(cloudwatch: Any, versions: Iterable[tuple[str, str, int]], now: datetime) -> None:
    """Of the hour that begins now, for each (function, version, errors a minute)."""
    start = now.replace(second=1, microsecond=0)
    data = [
        _datum(function, version, metric, value, start + timedelta(minutes=minute))
        for function, version, errors in versions
        for metric, value in (("Invocations", REQUESTS), ("Errors", errors))
        for minute in range(TOLD_AHEAD)
    ]
    for at in range(0, len(data), AT_ONCE):
        cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=data[at : at + AT_ONCE])


def _datum(function: str, version: str, metric: str, value: int, at: datetime) -> dict[str, Any]:
    dimensions = {"FunctionName": function, "Resource": f"{function}:live", "ExecutedVersion": version}
    return {
        "MetricName": metric,
        "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
        "Timestamp": at.astimezone(UTC),
        "Value": float(value),
    }
