"""What functions log about their failures, from CloudWatch Logs.

FilterLogEvents, not Logs Insights: it needs no query to be started and waited for, and answers in the order of time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.domain.serving import Failure, FailureLog

# Each page holds up to 10,000 events or 1 MB, and may be empty though more follow.
MOST_PAGES = 20
LONGEST_MESSAGE = 200  # characters; the timeline keeps examples, the log keeps all

# 2026/11/23/[7]0f1e2d..., or in a shared group 2026/11/23/name[7][0f1e2d...]
_VERSION = re.compile(r"\[(\$LATEST|\d+)\]")
# What the Python runtime writes of an exception that nobody caught.
_UNCAUGHT = re.compile(r"^\[ERROR\]\s+(?:\S+Z\s+\S+\s+)?(\w+(?:\.\w+)*)(?::\s*(.*))?")
# Names of an error's class: ours, Lambda's JSON log format, Powertools.
_ERROR_FIELDS = ("error", "errorType", "exception_name")


class CloudWatchLogs:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def failures(self, function: str, start: datetime, end: datetime) -> FailureLog:
        found: list[Failure] = []
        ask: dict[str, Any] = {
            "logGroupName": f"/aws/lambda/{function}",
            "filterPattern": "ERROR",
            "startTime": int(start.timestamp() * 1000),
            "endTime": int(end.timestamp() * 1000),
        }
        with translated(f"reading the log of {function}"):
            logs = self._aws.client("logs")
            for _ in range(MOST_PAGES):
                page = logs.filter_log_events(**ask)
                found += [failure for event in page["events"] if (failure := _failure(event))]
                if not page.get("nextToken"):
                    return FailureLog(failures=tuple(found))
                ask["nextToken"] = page["nextToken"]
        return FailureLog(failures=tuple(found), complete=False)


def _failure(event: Mapping[str, Any]) -> Failure | None:
    """The failure that a log event tells of; None where it only holds the word."""
    text = event["message"].strip()
    version = _VERSION.search(event.get("logStreamName", ""))
    found = _from_json(text) if text.startswith("{") else _from_text(text)
    if found is None:
        return None
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return Failure(at=at, version=version[1] if version else None, **found)


def _from_json(text: str) -> dict[str, str | None] | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    if line.get("level") != "ERROR":
        return None
    error = next((str(line[name]) for name in _ERROR_FIELDS if line.get(name)), "unknown")
    dependency = line.get("dependency")
    return {
        "error": error,
        "dependency": str(dependency) if dependency else None,
        "message": str(line.get("message") or line.get("errorMessage") or "")[:LONGEST_MESSAGE],
    }


def _from_text(text: str) -> dict[str, str | None] | None:
    if (uncaught := _UNCAUGHT.match(text)) is None:
        return None
    return {"error": uncaught[1], "dependency": None, "message": (uncaught[2] or "")[:LONGEST_MESSAGE]}
