"""The collector refuses what Slack and PagerDuty refuse; otherwise a journey could pass on nonsense."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.collector import ROUTING_KEY, Collector
from selfright.domain.manifest import ChannelType


@pytest.fixture(scope="module")
def services() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def collector(services: Collector) -> Iterator[Collector]:
    yield services
    services.forget()


def post(collector: Collector, service: ChannelType, body: Any, path: str = "") -> tuple[int, str]:
    address = urlsplit(collector.secret(service)["url"])
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    raw = body if isinstance(body, str) else json.dumps(body)
    try:
        connection.request("POST", path or address.path, raw, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"text": "hello"}, (200, "ok")),
        ({"text": "hello", "blocks": [section("a" * 3000)] * 50}, (200, "ok")),
        ("not json", (400, "invalid_payload")),
        ([], (400, "invalid_payload")),
        ({"channel": "#general"}, (400, "no_text")),
        ({"text": "x", "blocks": [section("a")] * 51}, (400, "invalid_blocks")),
        ({"text": "x", "blocks": [section("a" * 3001)]}, (400, "invalid_blocks")),
        ({"text": "x", "blocks": [section("")]}, (400, "invalid_blocks")),
        ({"text": "x", "blocks": [{"type": "paragraph"}]}, (400, "invalid_blocks")),
        (
            {
                "text": "x",
                "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "a" * 151}}],
            },
            (400, "invalid_blocks"),
        ),
        (
            {"text": "x", "blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "a"}}]},
            (400, "invalid_blocks"),
        ),
        ({"text": "x", "blocks": [{"type": "context", "elements": []}]}, (400, "invalid_blocks")),
    ],
)
def test_slack_takes_messages_within_its_limits(collector: Collector, body: Any, answer: tuple[int, str]):
    assert post(collector, ChannelType.SLACK, body) == answer
    assert len(collector.taken(ChannelType.SLACK)) == (answer == (200, "ok"))


def test_slack_does_not_know_another_address(collector: Collector):
    assert post(collector, ChannelType.SLACK, {"text": "x"}, "/services/T0/B0/wrong") == (404, "no_service")


EVENT: dict[str, Any] = {
    "routing_key": ROUTING_KEY,
    "event_action": "trigger",
    "dedup_key": "inc-1",
    "payload": {"summary": "down", "source": "here", "severity": "critical"},
}


def event(**changes: Any) -> dict[str, Any]:
    payload = {**EVENT["payload"], **changes.pop("payload", {})}
    return {**EVENT, "payload": payload, **changes}


@pytest.mark.parametrize("action", ["trigger", "acknowledge", "resolve"])
def test_pagerduty_takes_every_action(collector: Collector, action: str):
    status, text = post(collector, ChannelType.PAGERDUTY, event(event_action=action))

    assert status == 202
    assert json.loads(text) == {"status": "success", "message": "Event processed", "dedup_key": "inc-1"}
    assert collector.alerts() == {"inc-1": action}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("not json", "Length of 'routing_key' is incorrect (should be 32 characters)"),
        (event(routing_key="short"), "Length of 'routing_key' is incorrect (should be 32 characters)"),
        (event(routing_key="f" * 32), "Invalid routing key"),
        (event(event_action="page"), "'event_action' is invalid"),
        (event(event_action="resolve", dedup_key=""), "'dedup_key' is missing or blank"),
        (event(dedup_key="a" * 256), "'dedup_key' is too long"),
        (event(payload={"summary": ""}), "'payload.summary' is missing or blank"),
        (event(payload={"summary": "a" * 1025}), "'payload.summary' is too long"),
        (event(payload={"source": ""}), "'payload.source' is missing or blank"),
        (event(payload={"severity": "high"}), "'payload.severity' is invalid"),
    ],
)
def test_pagerduty_says_what_is_wrong_with_an_event(collector: Collector, body: Any, error: str):
    status, text = post(collector, ChannelType.PAGERDUTY, body)

    assert status == 400
    assert error in json.loads(text)["errors"]
    assert collector.taken(ChannelType.PAGERDUTY) == []


def test_an_event_of_a_known_key_is_no_new_alert(collector: Collector):
    for action in ("trigger", "trigger", "resolve"):
        post(collector, ChannelType.PAGERDUTY, event(event_action=action))

    assert len(collector.taken(ChannelType.PAGERDUTY)) == 3
    assert collector.alerts() == {"inc-1": "resolve"}
