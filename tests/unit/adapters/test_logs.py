"""Failures as functions log them: JSON of ours, of Lambda, of Powertools, and what the runtime writes of a crash."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selfright.adapters import logs
from selfright.adapters.logs import CloudWatchLogs
from selfright.domain.errors import NotFoundError
from selfright.domain.serving import Failure
from tests.unit.adapters.conftest import Stubbed

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
STREAM = "2026/11/23/[7]0f1e2d3c"
OURS = {
    "level": "ERROR",
    "message": "bedrock nova: failed",
    "error": "ModelUnavailableError",
    "dependency": "bedrock",
}


def event(message: str, stream: str = STREAM) -> dict[str, Any]:
    return {"timestamp": int(NOW.timestamp() * 1000), "message": message + "\n", "logStreamName": stream}


def read(stubbed: Stubbed, *events: dict[str, Any]) -> tuple[Failure, ...]:
    stubbed.answer(
        "logs",
        "filter_log_events",
        {"events": list(events)},
        logGroupName="/aws/lambda/shop-checkout",
        filterPattern="ERROR",
        startTime=int((NOW - timedelta(minutes=10)).timestamp() * 1000),
        endTime=int(NOW.timestamp() * 1000),
    )
    return CloudWatchLogs(stubbed.aws).failures("shop-checkout", NOW - timedelta(minutes=10), NOW).failures


def test_a_line_names_the_dependency_and_its_stream_the_version(stubbed: Stubbed):
    assert read(stubbed, event(json.dumps(OURS))) == (
        Failure(
            at=NOW,
            version="7",
            error="ModelUnavailableError",
            dependency="bedrock",
            message="bedrock nova: failed",
        ),
    )


@pytest.mark.parametrize(
    ("stream", "version"),
    [
        ("2026/11/23/[$LATEST]0f1e", "$LATEST"),
        ("2026/11/23/shop-checkout[12][0f1e]", "12"),  # a log group that functions share
        ("by-hand", None),
    ],
)
def test_the_version_stands_in_the_streams_name(stubbed: Stubbed, stream: str, version: str | None):
    (failure,) = read(stubbed, event(json.dumps(OURS), stream))

    assert failure.version == version


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "[ERROR] TypeError: unsupported operand\nTraceback (most recent call last):",
            "TypeError",
            "unsupported operand",
        ),
        ("[ERROR]\t2026-11-23T10:00:00.000Z\t4c0-1\tbotocore.ClientError: no", "botocore.ClientError", "no"),
        ('{"level": "ERROR", "errorType": "KeyError", "errorMessage": "total"}', "KeyError", "total"),
        ('{"level": "ERROR", "exception_name": "ValueError", "message": "m"}', "ValueError", "m"),
        ('{"level": "ERROR", "message": "m"}', "unknown", "m"),
    ],
)
def test_errors_without_a_dependency(stubbed: Stubbed, text: str, error: str, message: str):
    (failure,) = read(stubbed, event(text))

    assert (failure.error, failure.message, failure.dependency) == (error, message, None)


@pytest.mark.parametrize(
    "text", ['{"level": "INFO", "message": "no ERROR"}', "no ERROR here", '{"level": "ERROR"', "{}"]
)
def test_lines_that_only_hold_the_word(stubbed: Stubbed, text: str):
    assert read(stubbed, event(text)) == ()


def test_all_pages_are_read_and_no_more_than_allowed(stubbed: Stubbed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logs, "MOST_PAGES", 2)
    page = {"events": [event(json.dumps(OURS))], "nextToken": "more"}
    for answer in (page, {"events": []}, page, page):
        stubbed.answer("logs", "filter_log_events", answer)
    board = CloudWatchLogs(stubbed.aws)

    whole = board.failures("shop-checkout", NOW, NOW)
    cut_off = board.failures("shop-checkout", NOW, NOW)

    assert (len(whole.failures), whole.complete) == (1, True)
    assert (len(cut_off.failures), cut_off.complete) == (2, False)


def test_a_function_without_a_log_is_said_so(stubbed: Stubbed):
    stubbed.refuse("logs", "filter_log_events", "ResourceNotFoundException")

    with pytest.raises(NotFoundError):
        CloudWatchLogs(stubbed.aws).failures("shop-checkout", NOW, NOW)
