"""What people are told: what happened, what was done, what changed, what is needed of them."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.domain.incident import Attempt, AttemptStatus, CaseFile, Incident, IncidentStatus, Plan
from selfright.domain.report import LONGEST_PART, report
from tests.unit.usecases.world import ALARM, WENT_OFF, signal, workload

PLAN = Plan(
    action="dynamodb.raise_capacity",
    resource="orders",
    target="shop-development-orders",
    summary="shop-development-orders: write units 10 → 20",
    before={"write_units": 10},
    after={"write_units": 20},
)


def case(status: IncidentStatus, *attempts: Attempt, **incident: Any) -> CaseFile:
    shop = workload()
    binding = shop.alarm_by_name(ALARM)
    assert binding
    opened = Incident.open(signal(), shop, binding, WENT_OFF)
    return CaseFile(incident=opened.model_copy(update={"status": status, **incident}), attempts=attempts)


def attempt(status: AttemptStatus) -> Attempt:
    return Attempt(number=1, remedy="raise-capacity", plan=PLAN, status=status)


def test_the_message_tells_the_four_things():
    told = report(
        case(
            IncidentStatus.RESOLVED,
            attempt(AttemptStatus.VERIFIED),
            runbook="database-performance",
            outcome="write units 10 → 20",
        )
    )

    assert told.headline == "[critical] resolved: throttling of orders, shop development"
    assert told.text.splitlines() == [
        "What happened: throttling of orders (shop development).",
        f"Alarm: {ALARM} since 2026-11-23 10:00:00 UTC.",
        "What was done: runbook database-performance; write units 10 → 20.",
        f"What changed: {PLAN.summary}",
        "What is needed of you: Nothing. Selfright keeps watching the alarm.",
        told.text.splitlines()[-1],
    ]
    assert told.text.splitlines()[-1].startswith("Incident: inc-")


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (AttemptStatus.APPLIED, PLAN.summary),
        (AttemptStatus.VERIFIED, PLAN.summary),
        (AttemptStatus.UNDONE, f"{PLAN.summary} (undone)"),
        (AttemptStatus.INTENDED, f"{PLAN.summary} (interrupted: check the resource)"),
        (AttemptStatus.REFUSED, f"{PLAN.summary} (proposed, not carried out)"),
        (AttemptStatus.CHOSEN, "nothing."),
    ],
)
def test_what_changed_follows_how_far_the_attempt_came(status: AttemptStatus, line: str):
    told = report(case(IncidentStatus.ESCALATED, attempt(status)))

    assert f"What changed: {line}" in told.text.splitlines()


@pytest.mark.parametrize("status", list(IncidentStatus))
def test_every_outcome_says_what_is_needed(status: IncidentStatus):
    told = report(case(status))

    assert status.value in told.headline
    assert "What is needed of you: " in told.text


@pytest.mark.parametrize("status", [IncidentStatus.HELD, IncidentStatus.RECOVERED])
def test_nobody_is_told_that_nothing_was_changed_where_something_was_undone(status: IncidentStatus):
    told = report(case(status, attempt(AttemptStatus.UNDONE)))

    assert f"{PLAN.summary} (undone)" in told.text
    assert "no change of ours stands" in told.text
    assert "nothing was changed" not in told.text


def test_a_long_error_is_cut():
    told = report(case(IncidentStatus.ESCALATED, outcome="a" * 3000))

    assert len(told.done) == LONGEST_PART
    assert told.done.endswith("a…")
