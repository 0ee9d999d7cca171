"""Signals without an alarm: an incident that goes to people with a clear text, and does not flood them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.gates import Gate, Reason, Verdict
from selfright.domain.incident import EntryKind, IncidentStatus
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord, Signal, SignalKind
from selfright.ports import Switches
from selfright.usecases.receive_signal import receive_signal
from tests.fakes import Down
from tests.unit.usecases.respond import Respond
from tests.unit.usecases.world import ACCOUNT, REGION, TABLE, WENT_OFF, World

STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/shop-development/90a8c0f0"


def rolled_back(minutes: float = 0, state: State = State.ALARM, **changes: Any) -> Signal:
    at = WENT_OFF + timedelta(minutes=minutes)
    given = {
        "kind": SignalKind.STACK,
        "account": ACCOUNT,
        "region": REGION,
        "name": "shop-development",
        "subject": STACK,
        "state": state,
        "at": at,
        "reason": "the stack is UPDATE_ROLLBACK_COMPLETE",
        "fact": at.isoformat(),
    }
    return Signal(**{**given, **changes})


def table_failed_to_back_up() -> Signal:
    """The same table that the world's alarm watches."""
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"
    return rolled_back(
        kind=SignalKind.HEALTH, name="AWS_DYNAMODB_ISSUE", subject="health-1", resources=(table,)
    )


@pytest.fixture
def world() -> World:
    return World()


def received(world: World, one: Signal, workflows: Any = None) -> DecisionRecord:
    return receive_signal(
        one,
        workloads=tuple(world.workloads.values()),
        store=world.memory,
        history=world.memory,
        workflows=workflows or world.workflows,
        clock=world.clock,
    )


def played(world: World, one: Signal) -> tuple[Respond, str]:
    incident_id = str(received(world, one).incident_id)
    respond = Respond(world)
    respond.run(incident_id)
    return respond, incident_id


def test_a_failed_deployment_goes_to_people_with_what_happened(world: World):
    respond, incident_id = played(world, rolled_back())

    incident = world.case(incident_id).incident
    assert (incident.status, incident.symptom, incident.alarm_name) == (
        IncidentStatus.ESCALATED,
        "deployment",
        None,
    )
    assert not respond.failed
    first = world.case(incident_id).timeline[0]
    assert first.text == "stack shop-development: the stack is UPDATE_ROLLBACK_COMPLETE"
    (told,) = respond.published
    assert told["Subject"].startswith("[medium] escalated: deployment of shop-development, shop development")
    assert "CloudFormation reported shop-development" in told["Message"]
    assert "the stack is UPDATE_ROLLBACK_COMPLETE" in told["Message"]
    assert "Selfright has no remedy for this" in told["Message"]
    assert "alarm is not remedied" not in told["Message"]


def test_no_gate_about_an_alarm_stands_in_the_way(world: World):
    world.alarms = Down()

    _, incident_id = played(world, rolled_back())

    (asked,) = [e for e in world.case(incident_id).timeline if e.kind is EntryKind.GATES_ASKED]
    verdicts = {g["gate"]: (g["verdict"], g["reason"]) for g in asked.detail["gates"]}
    assert verdicts[Gate.STALE_EPISODE] == verdicts[Gate.MUTED] == (Verdict.GO, Reason.FINE)
    assert world.case(incident_id).incident.status is IncidentStatus.ESCALATED


def test_people_are_told_even_where_nothing_may_be_changed(world: World):
    world.board.switches = Switches(kill_switch=True)

    _, incident_id = played(world, rolled_back())

    assert world.case(incident_id).incident.status is IncidentStatus.ESCALATED


def test_a_table_that_aws_reports_has_no_runbook_without_an_alarm(world: World):
    respond, incident_id = played(world, table_failed_to_back_up())

    assert world.case(incident_id).incident.runbook is None
    assert "Run the checks" not in respond.visited
    assert world.dynamodb.changes == []


def test_an_alarm_does_not_join_what_has_no_remedy(world: World):
    other = received(world, table_failed_to_back_up())

    alarm = world.receive()

    assert alarm != other.incident_id
    assert len(world.workflows.started) == 2


def test_the_same_problem_is_told_once_an_hour(world: World):
    first = received(world, rolled_back())
    again, later = received(world, rolled_back(59)), received(world, rolled_back(60))

    assert (first.decision, later.decision) == (Decision.OPENED, Decision.JOINED)  # nobody closed the first
    assert (again.decision, again.reason) == (Decision.IGNORED, DecisionReason.TOLD_ALREADY)


def test_after_an_hour_it_is_a_new_incident(world: World):
    _, first = played(world, rolled_back())

    record = received(world, rolled_back(61))

    assert record.decision is Decision.OPENED
    assert record.incident_id != first


def test_a_crash_before_the_start_is_healed_by_the_redelivery(world: World):
    with pytest.raises(Exception, match="it is down"):
        received(world, rolled_back(), workflows=Down())

    record = received(world, rolled_back())

    assert record.decision is Decision.OPENED
    assert world.workflows.started == [record.incident_id]


@pytest.mark.parametrize("state", [State.OK, State.INSUFFICIENT_DATA])
def test_what_is_no_problem_is_on_record_and_no_more(world: World, state: State):
    record = received(world, rolled_back(state=state))

    assert (record.decision, record.reason) == (Decision.IGNORED, DecisionReason.NOTHING_IS_WRONG)
    assert world.workflows.started == []


def test_a_canary_is_on_record_and_opens_nothing(world: World):
    canary = rolled_back(kind=SignalKind.CANARY, state=State.INSUFFICIENT_DATA)

    record = received(world, canary)

    assert (record.decision, record.reason) == (Decision.IGNORED, DecisionReason.CANARY_ARRIVED)
    assert world.memory.decision(canary.id) == record


def test_a_contributor_that_recovers_does_not_recover_its_alarm(world: World):
    from tests.unit.usecases.world import signal

    incident_id = world.receive(signal().model_copy(update={"contributor": "series-1"}))

    over = signal(WENT_OFF + timedelta(minutes=3), State.OK).model_copy(update={"contributor": "series-1"})
    record = received(world, over)

    assert (record.decision, record.reason) == (Decision.IGNORED, DecisionReason.ALARM_DECIDES)
    assert not world.case(incident_id).recovered
