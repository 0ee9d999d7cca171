"""Every gate, on the real thing: the alarm is on and the remedy is known, but something says no.

The alarm flaps under one long surge, so that each test gets an episode of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.budget import Budget
from selfright.domain.gates import Gate, Reason, Verdict
from selfright.domain.incident import Attempt, AttemptStatus, CaseFile, EntryKind, IncidentStatus
from tests.sandbox.journeys.world import ALARM, ENVIRONMENT, PROVISIONED, TABLE, WORKLOAD, World

COOL_DOWN = timedelta(minutes=5)  # as the manifest has it
ANOTHER = "inc-0123456789ab-20260101T000000000"


@pytest.fixture(scope="module")
def too_small(sandbox_world: World) -> Iterator[World]:
    """A table that is too small, and would be remedied."""
    sandbox_world.wait_until_untainted()
    sandbox_world.calm_down()
    yield sandbox_world
    sandbox_world.calm_down()


@pytest.fixture
def surging(too_small: World) -> World:
    """The alarm has not flapped, as far as Selfright remembers: one gate says no in each journey, not two."""
    too_small.forget()
    return too_small


def stopped_by(case: CaseFile, gate: Gate) -> dict[str, Any]:
    """The stop that closed the case, as the timeline has it."""
    asked = [entry for entry in case.timeline if entry.kind is EntryKind.GATES_ASKED]
    stops = [g for g in asked[-1].detail["gates"] if g["verdict"] != Verdict.GO]
    return next(g for g in stops if g["gate"] == gate)


def assert_nothing_was_changed(world: World, case: CaseFile) -> None:
    assert world.table() == PROVISIONED
    assert {attempt.status for attempt in case.attempts} <= {AttemptStatus.CHOSEN, AttemptStatus.REFUSED}
    assert EntryKind.ACTION_APPLIED not in {entry.kind for entry in case.timeline}


def test_the_kill_switch_holds_everything(surging: World):
    surging.throw_switches(kill_switch=True)
    try:
        case = surging.closed(surging.alarm_goes_off().id)
    finally:
        surging.throw_switches()

    assert case.incident.status is IncidentStatus.HELD
    assert case.incident.outcome == "gate kill-switch: switched-off (on)"
    assert case.attempts == ()
    assert_nothing_was_changed(surging, case)


def test_a_muted_alarm_is_held(surging: World):
    cloudwatch = surging.client("cloudwatch")
    since = surging.now() - timedelta(minutes=1)
    cloudwatch.put_alarm_mute_rule(
        Name="rebuilding",
        Rule={"Schedule": {"Expression": f"at({since:%Y-%m-%dT%H:%M})", "Duration": "PT4H"}},
        MuteTargets={"AlarmNames": [ALARM]},
    )
    try:
        case = surging.closed(surging.alarm_goes_off().id)
    finally:
        cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="rebuilding")

    assert case.incident.status is IncidentStatus.HELD
    assert case.incident.outcome == "gate muted-or-suppressed: alarm-muted (muted by rebuilding)"
    assert_nothing_was_changed(surging, case)


def test_lowered_autonomy_proposes_and_changes_nothing(surging: World):
    surging.throw_switches(autonomy={"database-performance": "suggest"})
    try:
        case = surging.closed(surging.alarm_goes_off().id)
    finally:
        surging.throw_switches()

    assert case.incident.status is IncidentStatus.ESCALATED
    assert case.incident.outcome == "gate autonomy: suggest-only (suggest)"
    (attempt,) = case.attempts
    assert attempt.status is AttemptStatus.REFUSED
    assert attempt.plan is not None
    assert (attempt.plan.action, attempt.plan.before["write_units"]) == ("dynamodb.raise_capacity", 5)
    assert 5 < int(attempt.plan.after["write_units"]) <= 20
    assert_nothing_was_changed(surging, case)


@contextmanager
def leased_by_another(world: World) -> Iterator[int]:
    """Another incident's lease on the table, taken as the product takes it."""
    now = world.now()
    fence = world.leases.acquire(TABLE, ANOTHER, now + timedelta(hours=1), now)
    try:
        yield fence
    finally:
        world.leases.release(TABLE, ANOTHER)


def test_a_table_that_another_incident_works_on_is_left_alone(surging: World):
    with leased_by_another(surging):
        case = surging.closed(surging.alarm_goes_off().id)

        assert surging.leases.holder(TABLE, surging.now()) == ANOTHER
    assert case.incident.status is IncidentStatus.HELD
    assert case.incident.outcome == f"gate lease: held-by-another (held by {ANOTHER})"
    assert_nothing_was_changed(surging, case)


def test_after_a_change_the_table_is_left_to_cool_down(surging: World):
    # Given that another incident has just changed the table
    surging.throttled()
    with leased_by_another(surging) as fence:
        budget = Budget(workload=WORKLOAD, environment=ENVIRONMENT, per_hour=4, per_day=12)
        surging.ledger.intend(ANOTHER, Attempt(number=1, fence=fence), TABLE, budget, surging.now())

    # When the alarm goes off again
    case = surging.closed(surging.alarm_goes_off().id)

    assert case.incident.status is IncidentStatus.HELD
    stop = stopped_by(case, Gate.COOL_DOWN)
    assert (stop["reason"], stop["threshold"]) == (Reason.TOO_SOON, f"{COOL_DOWN.total_seconds():.0f} s")
    assert_nothing_was_changed(surging, case)


def test_where_the_switch_board_cannot_be_read_nothing_is_done(surging: World):
    # Given a function that is pointed at a switch board that is not there
    functions, name = surging.client("lambda"), surging.physical_name("ChooseRunbook")
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def point_at(profile: str) -> None:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**before, "SELFRIGHT_SWITCH_PROFILE": profile}}
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    point_at("gone123")
    try:
        case = surging.closed(surging.alarm_goes_off().id)
    finally:
        point_at(before["SELFRIGHT_SWITCH_PROFILE"])

    assert case.incident.status is IncidentStatus.ESCALATED  # after it was asked for several times
    assert "SourceDownError" in str(case.incident.outcome)
    (asked,) = [entry for entry in case.timeline if entry.kind is EntryKind.GATES_ASKED]
    (stop,) = [gate for gate in asked.detail["gates"] if gate["gate"] == Gate.KILL_SWITCH]
    assert (stop["verdict"], stop["reason"]) == (Verdict.STOP, Reason.SOURCE_DOWN)
    assert "gone123" in stop["value"]
    assert case.attempts == ()
    assert_nothing_was_changed(surging, case)
