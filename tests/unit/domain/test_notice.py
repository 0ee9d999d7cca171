"""One report in the words of each service, whatever stands in it, and never beyond the service's limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.incident import Attempt, AttemptStatus, CaseFile, Incident, IncidentStatus, Plan
from selfright.domain.manifest import ChannelType, Severity
from selfright.domain.notice import Notice, notice
from selfright.domain.report import report
from tests.unit.usecases.world import ALARM, WENT_OFF, signal, workload

SUMMARY = "shop-development-orders: write units 10 → 20"
PLAN = Plan(
    action="dynamodb.raise_capacity",
    resource="orders",
    target="shop-development-orders",
    summary=SUMMARY,
    before={"write_units": 10},
    after={"write_units": 20},
)
NEEDED = {IncidentStatus.HELD, IncidentStatus.ESCALATED}
OVER = {IncidentStatus.RESOLVED, IncidentStatus.RECOVERED}


def case(status: IncidentStatus, summary: str = SUMMARY, **incident: Any) -> CaseFile:
    shop = workload()
    binding = shop.alarm_by_name(ALARM)
    assert binding
    opened = Incident.open(signal(), shop, binding, WENT_OFF)
    plan = PLAN.model_copy(update={"summary": summary})
    tried = Attempt(number=1, remedy="raise-capacity", plan=plan, status=AttemptStatus.VERIFIED)
    return CaseFile(incident=opened.model_copy(update={"status": status, **incident}), attempts=(tried,))


RESOLVED = case(IncidentStatus.RESOLVED, runbook="database-performance", outcome=SUMMARY)
HEADLINE = "[critical] resolved: throttling of orders, shop development"


def body(kind: ChannelType, of: CaseFile = RESOLVED, *, paged: bool = False) -> dict[str, Any]:
    made = notice(kind, report(of), paged=paged)
    assert isinstance(made, Notice)
    assert made.type is kind
    return made.body


# -- the words, the same everywhere


def test_a_mail_tells_it_in_plain_text():
    assert body(ChannelType.SNS) == {"Subject": HEADLINE, "Message": report(RESOLVED).text}
    assert body(ChannelType.SNS)["Message"].splitlines()[:5] == [
        "What happened: throttling of orders (shop development).",
        f"Alarm: {ALARM} since 2026-11-23 10:00:00 UTC.",
        f"What was done: runbook database-performance; {SUMMARY}.",
        f"What changed: {SUMMARY}",
        "What is needed of you: Nothing. Selfright keeps watching the alarm.",
    ]


def test_slack_gets_a_block_for_each_part_and_a_banner():
    post = body(ChannelType.SLACK)

    assert post["text"] == HEADLINE
    header, *sections, context = post["blocks"]
    assert header == {"type": "header", "text": {"type": "plain_text", "text": HEADLINE}}
    assert [section["text"]["text"] for section in sections] == [
        "*What happened*\nthrottling of orders (shop development).",
        f"*Alarm*\n{ALARM} since 2026-11-23 10:00:00 UTC.",
        f"*What was done*\nrunbook database-performance; {SUMMARY}.",
        f"*What changed*\n{SUMMARY}",
        "*What is needed of you*\nNothing. Selfright keeps watching the alarm.",
    ]
    assert {section["text"]["type"] for section in sections} == {"mrkdwn"}
    assert context["elements"][0]["text"] == f"Incident {RESOLVED.incident.id}"


def test_pagerduty_gets_an_alert_that_repeats_and_resolves_by_the_incidents_id():
    held = case(IncidentStatus.HELD, outcome="gate kill-switch: switched-off (on)")

    event = body(ChannelType.PAGERDUTY, held)

    assert (event["event_action"], event["dedup_key"]) == ("trigger", held.incident.id)
    assert "routing_key" not in event
    assert event["payload"] == {
        "summary": "[critical] held: throttling of orders, shop development",
        "source": held.incident.subject,
        "severity": "critical",
        "timestamp": "2026-11-23T10:00:00+00:00",
        "component": "orders",
        "group": "shop-development",
        "class": "throttling",
        "custom_details": report(held).parts,
    }


def test_a_webhook_gets_our_own_fields():
    sent = body(ChannelType.WEBHOOK)

    assert sent == json.loads(json.dumps(sent))
    assert sent["id"] == f"{RESOLVED.incident.id}-resolved"
    assert (sent["status"], sent["severity"], sent["resource"]) == ("resolved", "critical", "orders")
    assert (sent["what_changed"], sent["headline"]) == (SUMMARY, HEADLINE)
    assert sent["what_is_needed"] == "Nothing. Selfright keeps watching the alarm."


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Severity.CRITICAL, "critical"),
        (Severity.HIGH, "error"),
        (Severity.MEDIUM, "warning"),
        (Severity.LOW, "info"),
    ],
)
def test_each_severity_has_pagerdutys_word(ours: Severity, theirs: str):
    event = body(ChannelType.PAGERDUTY, case(IncidentStatus.ESCALATED, severity=ours))

    assert event["payload"]["severity"] == theirs


# -- who is woken


@pytest.mark.parametrize("paged", [True, False])
@pytest.mark.parametrize("status", list(IncidentStatus))
def test_a_pager_wakes_who_is_needed_and_takes_back_only_what_it_said(status: IncidentStatus, paged: bool):
    made = notice(ChannelType.PAGERDUTY, report(case(status)), paged=paged)

    action = made.body["event_action"] if made else None
    if status in NEEDED:
        assert action == "trigger"
    elif status in OVER and paged:
        assert action == "resolve"
    else:
        assert action is None


@pytest.mark.parametrize("kind", [c for c in ChannelType if c is not ChannelType.PAGERDUTY])
@pytest.mark.parametrize("status", list(IncidentStatus))
def test_every_other_way_always_tells(kind: ChannelType, status: IncidentStatus):
    assert status in json.dumps(body(kind, case(status)))


# -- whatever stands in it

# Short ones, and long ones made of a short one again and again: drawing a long text is slow.
ANYTHING = st.builds(lambda text, times: text * times, st.text(max_size=20), st.sampled_from([1, 400])) | (
    st.builds(lambda text: text * 400, st.text(alphabet="&<>→a\n\x00", min_size=1, max_size=10))
)


@given(resource=ANYTHING, outcome=ANYTHING, summary=ANYTHING, alarm=ANYTHING)
def test_no_notice_breaks_its_services_limits(resource: str, outcome: str, summary: str, alarm: str):
    of = case(IncidentStatus.ESCALATED, summary, resource=resource, outcome=outcome, alarm_name=alarm)

    subject = body(ChannelType.SNS, of)["Subject"]
    assert 0 < len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()
    assert subject[0] == "["  # a letter, a number or a punctuation mark
    assert len(body(ChannelType.SNS, of)["Message"].encode()) <= 262_144

    post = body(ChannelType.SLACK, of)
    assert len(post["text"]) <= 3000
    assert len(post["blocks"]) <= 50
    header, *sections, context = post["blocks"]
    assert 0 < len(header["text"]["text"]) <= 150
    assert all(0 < len(section["text"]["text"]) <= 3000 for section in sections)
    assert all(0 < len(element["text"]) <= 3000 for element in context["elements"])

    event = body(ChannelType.PAGERDUTY, of)
    assert len(event["payload"]["summary"]) <= 1024
    assert len(event["dedup_key"]) <= 255
    assert len(json.dumps(event)) <= 512 * 1024


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@given(outcome=ANYTHING | st.text(alphabet="&<>;lgtamp", max_size=40))
def test_slack_shows_what_was_written_and_obeys_nothing_in_it(outcome: str):
    section = body(ChannelType.SLACK, case(IncidentStatus.HELD, outcome=outcome or "-"))["blocks"][3]
    shown = section["text"]["text"].removeprefix("*What was done*\n")

    assert not {"<", ">"} & set(shown)
    assert shown.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").count("&") == 0
    wanted = report(case(IncidentStatus.HELD, outcome=outcome or "-")).done
    if unescaped(shown) != wanted:
        assert wanted.startswith(unescaped(shown[:-1]))
        assert shown.endswith("…")
        assert len(section["text"]["text"]) > 2990  # it is cut as late as can be
    assert section["text"]["verbatim"] is True


@pytest.mark.parametrize("call", ["<!channel>", "<@U123>", "<https://evil.example|click>", "a & b < c"])
def test_nobody_is_called_by_what_an_error_message_says(call: str):
    post = json.dumps(body(ChannelType.SLACK, case(IncidentStatus.ESCALATED, outcome=call, resource=call)))
    header_free = json.loads(post)["blocks"][1:]

    assert call not in json.dumps(header_free)
    assert call not in json.loads(post)["text"]


def test_a_long_subject_keeps_its_outcome():
    subject = body(ChannelType.SNS, case(IncidentStatus.ESCALATED, resource="a" * 63, workload="w" * 31))[
        "Subject"
    ]

    assert len(subject) == 99
    assert subject.startswith("[critical] escalated: throttling of aaa")
