"""The values an alarm is made of: its state and the datapoints it looks at."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """What an alarm says about its metric."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Point(NamedTuple):
    """One period of the watched metric.

    `timestamp` is the start of the period and carries a time zone. `value` is None where the period has no
    datapoint. `sample_count` is the number of raw samples behind a percentile, None where unknown. `lower`
    and `upper` are the anomaly detection band of the period, needed by the three band operators only.
    """

    timestamp: datetime
    value: float | None
    sample_count: float | None = None
    lower: float | None = None
    upper: float | None = None
