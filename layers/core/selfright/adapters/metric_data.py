"""GetMetricData, read to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import SourceDownError

# PartialData is fine: the rest is on a later page. The other two give fewer points than there are, or none.
_BROKEN = {"InternalError", "Forbidden"}


@dataclass
class Series:
    """One query's answer: epoch seconds of a period's start to value."""

    label: str = ""
    points: dict[float, float] = field(default_factory=dict)


def read_metric_data(
    aws: Aws, queries: Sequence[dict[str, Any]], start: datetime, end: datetime, doing: str
) -> dict[str, Series]:
    """The series of every query that returns data, by query id; `doing` is the start of an error's message.

    Raises SourceDownError also where CloudWatch says that a series is not whole: a gap must not pass for silence.
    """
    found = {query["Id"]: Series() for query in queries if query.get("ReturnData", True)}
    with translated(doing):
        pages = aws.client("cloudwatch").get_paginator("get_metric_data")
        for page in pages.paginate(MetricDataQueries=list(queries), StartTime=start, EndTime=end):
            for result in page["MetricDataResults"]:
                if result.get("StatusCode") in _BROKEN:
                    raise SourceDownError(f"{doing}: {result['Id']} is {result['StatusCode']}")
                series = found[result["Id"]]
                series.label = result.get("Label") or series.label
                times = (at.timestamp() for at in result["Timestamps"])
                series.points.update(zip(times, result["Values"], strict=True))
    return found
