"""Intake: one decision per signal, whatever order, however often, and wherever it crashed before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.errors import SourceDownError
from selfright.domain.incident import EntryKind, IncidentStatus
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord, Signal
from selfright.usecases.close_incident import close_incident
from selfright.usecases.receive_signal import receive_signal
from tests.fakes import Down
from tests.unit.usecases.world import ALARM, WENT_OFF, World, signal

READS = "shop-development-orders-reads-throttled"
LATER = WENT_OFF + timedelta(minutes=3)


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


def close(world: World, incident_id: str) -> None:
    close_incident(
        incident_id,
        IncidentStatus.ESCALATED,
        "for the test",
        store=world.memory,
        leases=world.memory_leases,
        history=world.memory,
        clock=world.clock,
    )


def test_an_alarm_opens_an_incident_and_starts_respond(world: World):
    record = received(world, signal())

    assert (record.decision, record.reason) == (Decision.OPENED, DecisionReason.NEW_PROBLEM)
    assert world.workflows.started == [record.incident_id]
    case = world.case(str(record.incident_id))
    assert (case.incident.resource, case.incident.episode) == ("orders", WENT_OFF)
    assert [e.kind for e in case.timeline] == [EntryKind.SIGNAL_RECEIVED]


def test_another_alarm_of_the_same_problem_joins(world: World):
    opened = received(world, signal())
    joined = received(world, signal(LATER, alarm=READS))

    assert (joined.decision, joined.incident_id) == (Decision.JOINED, opened.incident_id)
    assert world.workflows.started == [opened.incident_id]
    assert world.case(str(opened.incident_id)).incident.signals == 2


def test_a_duplicate_changes_nothing_and_gets_the_same_answer(world: World):
    first, again = received(world, signal()), received(world, signal())

    assert again == first
    assert world.workflows.started == [first.incident_id]
    assert world.case(str(first.incident_id)).incident.signals == 1


def test_a_redelivery_starts_what_a_crash_left_unstarted(world: World):
    # Given a crash between the record and the start
    with pytest.raises(SourceDownError):
        received(world, signal(), workflows=Down())
    assert world.workflows.started == []

    # When SQS delivers the message again
    record = received(world, signal())

    # Then the incident that is on record is started
    assert record.decision is Decision.OPENED
    assert world.workflows.started == [record.incident_id]


def test_nothing_is_started_where_nothing_could_be_recorded(world: World):
    with pytest.raises(SourceDownError):
        receive_signal(
            signal(),
            workloads=tuple(world.workloads.values()),
            store=Down(),
            history=world.memory,
            workflows=world.workflows,
            clock=world.clock,
        )

    assert world.workflows.started == []


def test_an_alarm_that_is_overtaken_by_its_own_recovery_is_ignored(world: World):
    recovered = received(world, signal(LATER, State.OK))
    late = received(world, signal(WENT_OFF))

    assert recovered.decision is Decision.RECOVERED
    assert (late.decision, late.reason) == (Decision.IGNORED, DecisionReason.OVERTAKEN)
    assert world.workflows.started == []


def test_another_alarms_recovery_overtakes_nothing(world: World):
    """Reads are fine again; that the writes are not is told late."""
    received(world, signal(LATER, State.OK, alarm=READS))
    late = received(world, signal(WENT_OFF))

    assert late.decision is Decision.OPENED


def test_an_alarm_after_the_recovery_is_a_new_problem(world: World):
    received(world, signal(LATER, State.OK))
    record = received(world, signal(LATER + timedelta(minutes=1)))

    assert record.decision is Decision.OPENED


def test_a_recovery_is_noted_on_the_open_incident(world: World):
    opened = received(world, signal())
    recovered = received(world, signal(LATER, State.OK))

    assert (recovered.decision, recovered.incident_id) == (Decision.RECOVERED, opened.incident_id)
    case = world.case(str(opened.incident_id))
    assert [e.detail["state"] for e in case.timeline] == ["ALARM", "OK"]
    assert case.incident.status is IncidentStatus.OPEN


def test_a_recovery_that_is_older_than_a_known_one_is_overtaken(world: World):
    received(world, signal(LATER, State.OK))
    older = received(world, signal(WENT_OFF, State.OK))

    assert (older.decision, older.reason) == (Decision.IGNORED, DecisionReason.OVERTAKEN)


def test_an_alarm_that_goes_off_again_moves_the_episode_of_its_open_incident(world: World):
    opened = received(world, signal())
    received(world, signal(LATER, State.OK))
    again = received(world, signal(LATER + timedelta(seconds=40)))

    assert again.decision is Decision.JOINED
    assert world.case(str(opened.incident_id)).episode == LATER + timedelta(seconds=40)


def test_the_signal_of_another_alarm_does_not_move_the_episode(world: World):
    opened = received(world, signal())
    received(world, signal(LATER, alarm=READS))

    assert world.case(str(opened.incident_id)).episode == WENT_OFF


def test_after_its_incident_is_closed_a_problem_opens_a_new_one(world: World):
    first = received(world, signal())
    close(world, str(first.incident_id))
    second = received(world, signal(LATER))

    assert second.decision is Decision.OPENED
    assert second.incident_id != first.incident_id


def test_an_alarm_that_no_workload_lists_is_none_of_ours(world: World):
    record = received(world, signal(alarm="somebody-elses"))

    assert (record.decision, record.reason) == (Decision.IGNORED, DecisionReason.NOT_A_WORKLOAD_ALARM)


def test_no_data_is_no_problem(world: World):
    record = received(world, signal(state=State.INSUFFICIENT_DATA))

    assert (record.decision, record.reason) == (Decision.IGNORED, DecisionReason.NO_DATA_IS_NO_PROBLEM)
    assert world.workflows.started == []


def test_every_decision_names_its_signal_and_moment(world: World):
    record = received(world, signal())

    assert record.signal.name == ALARM
    assert record.decided_at == world.clock.now()
