"""What falls through is found: an alarm whose event was lost, an execution that is gone; and intake is proven."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.template import Permission
from sandbox.inbox import Inbox
from selfright.domain.incident import AttemptStatus, EntryKind, IncidentStatus
from selfright.usecases.sweep import GRACE
from tests.sandbox.journeys.permissions import without
from tests.sandbox.journeys.signals import times_decided
from tests.sandbox.journeys.world import ALARM, CALM, PROVISIONED, SURGE_BESIDE_USERS, TABLE, World


@pytest.fixture
def no_events(world: World) -> Iterator[None]:
    """EventBridge tells us of no alarm."""
    events, rule = world.client("events"), world.physical_name("AlarmStateChanged")
    events.disable_rule(Name=rule)
    yield
    events.enable_rule(Name=rule)


@pytest.mark.usefixtures("users", "no_events")
def test_an_alarm_whose_event_was_lost_is_found_and_remedied(world: World):
    began = world.now()
    world.throttled(SURGE_BESIDE_USERS)

    incident = world.until("the sweep finds it", lambda: next(iter(world.incidents(began)), None))

    assert incident.alarm_name == ALARM
    assert incident.opened_at - incident.episode > GRACE
    assert world.closed(incident.id).incident.status is IncidentStatus.RESOLVED


def test_what_a_stopped_execution_has_changed_is_undone_and_people_take_over(world: World):
    incident = world.alarm_goes_off()
    world.until("a change is made", lambda: world.acted(incident.id))
    (execution,) = world.executions(incident.id)
    world.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])

    case = world.closed(incident.id)

    assert case.incident.status is IncidentStatus.ESCALATED
    assert case.incident.outcome == "nobody works on it any more: its execution is ABORTED"
    assert case.attempt(1).status is AttemptStatus.UNDONE
    assert world.table() == PROVISIONED
    assert EntryKind.INCIDENT_CLOSED in {entry.kind for entry in case.timeline}
    assert world.leases.holder(case.attempt(1).plan.target, world.now()) is None  # type: ignore[union-attr]
    world.taint()


def test_where_undoing_fails_too_people_are_told_what_is_changed(world: World, inbox: Inbox):
    incident = world.alarm_goes_off()
    world.until("a change is made", lambda: world.acted(incident.id))
    world.load.write(CALM)
    world.until("the alarm is over", lambda: world.ledger.case(incident.id).alarm_is_over)
    (execution,) = world.executions(incident.id)
    with without(world, Permission("Undo", "Rooms", "lambda:InvokeFunction")):
        world.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])

        case = world.closed(incident.id)

    assert case.incident.status is IncidentStatus.ESCALATED
    assert case.incident.outcome == "nobody works on it any more: its undoing is FAILED"
    (attempt,) = case.attempts
    assert attempt.status is AttemptStatus.APPLIED
    assert world.table()["write"] > PROVISIONED["write"]
    assert world.leases.holder(TABLE, world.now()) is None
    (mail,) = inbox.about(incident.id)
    assert attempt.plan.summary in mail["Message"]  # type: ignore[union-attr]
    world.taint()


def test_a_canary_goes_through_intake_on_its_schedule(sandbox_world: World):
    world = sandbox_world
    before = times_decided(world, "canary-arrived")

    world.until("another canary is decided", lambda: times_decided(world, "canary-arrived") > before)

    for silence in ("CanaryMissing", "SweepMissing"):
        name = world.physical_name(silence)
        (alarm,) = world.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        assert alarm["StateValue"] == "OK"
