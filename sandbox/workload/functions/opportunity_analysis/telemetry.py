"""What the application says about itself: JSON log lines, and metrics in the embedded metric format."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMESPACE = "OpportunityAnalysis"
_STATM = Path("/proc/self/statm")  # Linux, as in Lambda; proc_pid_statm(5) counts pages

Value = tuple[float, str]  # number and CloudWatch unit


def log(level: str, message: str, **fields: Any) -> None:
    """One JSON line, so that people and runbooks search by field."""
    print(json.dumps({"level": level, "message": message, **fields}))  # noqa: T201 - Lambda's log


def metrics(values: dict[str, Value], **fields: Any) -> None:
    """One JSON line of which CloudWatch makes a datapoint per value; `fields` stay searchable in it."""
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Environment"]],
        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()],
    }
    print(  # noqa: T201 - Lambda's log
        json.dumps(
            {
                "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
                "Environment": os.environ["ENVIRONMENT"],
                **{name: number for name, (number, _) in values.items()},
                **fields,
            }
        )
    )


def count(number: float) -> Value:
    return (number, "Count")


class Stopwatch:
    """How long each named stage of one request took; stages that failed are in it too."""

    def __init__(self) -> None:
        self.times: dict[str, Value] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.times[name] = (round((time.perf_counter() - began) * 1000, 1), "Milliseconds")


def memory() -> dict[str, Value]:
    """What this execution environment holds now, in MB and as percent of what Lambda gives it.

    Lambda's own "Max Memory Used" is only in its REPORT lines; alarms need a metric.
    """
    if not _STATM.exists():
        return {}
    used = int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    limit = float(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
    return {
        "MemoryUsed": (round(used, 1), "Megabytes"),
        "MemoryUtilization": (round(100 * used / limit, 1), "Percent"),
    }
