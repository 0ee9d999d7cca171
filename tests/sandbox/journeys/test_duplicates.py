"""SQS and EventBridge deliver at least once and in any order: a problem is dealt with once all the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from selfright.domain.incident import EntryKind, IncidentStatus
from selfright.domain.signal import Decision, DecisionReason
from tests.sandbox.journeys.signals import decision, event, times_decided
from tests.sandbox.journeys.world import World

DELIVERIES = 20


def test_twenty_deliveries_are_one_incident_and_one_execution(sandbox_world: World):
    world, began = sandbox_world, sandbox_world.now()
    told = event("orchestrator-latency", "ALARM", began, reason="told twenty times")

    # When the same state change comes in twenty times at once
    with ThreadPoolExecutor(max_workers=DELIVERIES) as pool:
        list(pool.map(world.inject, [told] * DELIVERIES))
    world.until("all are decided", lambda: times_decided(world, "told twenty times") == DELIVERIES)

    # Then it is one incident with one signal, and one execution
    (incident,) = world.incidents(began)
    case = world.closed(incident.id)
    assert case.incident.signals == 1
    assert [e.kind for e in case.timeline].count(EntryKind.SIGNAL_RECEIVED) == 1
    assert [e["name"] for e in world.executions(incident.id)] == [incident.id]
    # ... which looks at the alarm itself before it believes the event: it is not on
    assert case.incident.status is IncidentStatus.RECOVERED

    # ... and the recovery, which comes in last, finds nothing to do
    recovery = event("orchestrator-latency", "OK", began + timedelta(seconds=30))
    world.inject(recovery)
    recovered = world.until("the recovery is decided", lambda: decision(world, recovery))
    assert (recovered.decision, recovered.incident_id) == (Decision.RECOVERED, None)
    assert world.ledger.case(incident.id) == case


def test_a_redelivery_after_the_incident_is_closed_changes_nothing(sandbox_world: World):
    world, began = sandbox_world, sandbox_world.now()
    told = event("orchestrator-error-rate", "ALARM", began, reason="told again much later")
    world.inject(told)
    incident = world.until("an incident is opened", lambda: next(iter(world.incidents(began)), None))
    before = world.closed(incident.id)

    world.inject(told)
    world.until("it is decided again", lambda: times_decided(world, "told again much later") == 2)

    assert world.incidents(began) == [before.incident]
    assert world.ledger.case(incident.id) == before
    assert len(world.executions(incident.id)) == 1


def test_an_alarm_that_its_own_recovery_overtook_is_no_problem(sandbox_world: World):
    world, began = sandbox_world, sandbox_world.now()
    alarm = event("availability", "ALARM", began)
    recovery = event("availability", "OK", began + timedelta(seconds=30))

    # When the recovery comes in first
    world.inject(recovery)
    recovered = world.until("the recovery is decided", lambda: decision(world, recovery))
    world.inject(alarm)
    overtaken = world.until("the alarm is decided", lambda: decision(world, alarm))

    # Then both are on record, and nothing is done
    assert (recovered.decision, recovered.incident_id) == (Decision.RECOVERED, None)
    assert (overtaken.decision, overtaken.reason) == (Decision.IGNORED, DecisionReason.OVERTAKEN)
    assert overtaken.incident_id is None
    assert world.incidents(began) == []
