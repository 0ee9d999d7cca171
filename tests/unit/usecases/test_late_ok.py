"""An OK that comes late: before anything was changed the incident is over, after it was closed it changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfright.domain.alarms import State
from selfright.domain.incident import Attempt, AttemptStatus, IncidentStatus, Plan
from selfright.domain.steps import Closed
from selfright.usecases.close_incident import close_incident
from tests.unit.usecases.world import TABLE, WENT_OFF, World, signal, workload

READS = "shop-development-orders-reads-throttled"
SOON, LATER = WENT_OFF + timedelta(minutes=2), WENT_OFF + timedelta(minutes=20)
PLAN = Plan(
    action="dynamodb.raise_capacity",
    resource="orders",
    target=TABLE,
    summary="10 to 20 units",
    before={"write_units": 10},
    after={"write_units": 20},
)


@pytest.fixture
def world() -> World:
    return World()


def closed(world: World, incident_id: str, error: str | None = None) -> Closed:
    return close_incident(
        incident_id,
        IncidentStatus.ESCALATED,
        "no remedy fits",
        error,
        store=world.memory,
        leases=world.memory_leases,
        history=world.memory,
        clock=world.clock,
    )


def status(world: World, incident_id: str) -> IncidentStatus:
    return world.case(incident_id).incident.status


def test_an_incident_that_is_over_before_anything_was_changed_has_recovered(world: World):
    incident_id = world.receive()
    world.receive(signal(SOON, State.OK))

    told = closed(world, incident_id)

    assert status(world, incident_id) is IncidentStatus.RECOVERED
    assert told.status is IncidentStatus.RECOVERED


@pytest.mark.parametrize("attempted", [AttemptStatus.CHOSEN, AttemptStatus.REFUSED])
def test_a_change_that_was_not_made_does_not_count(world: World, attempted: AttemptStatus):
    incident_id = world.receive()
    world.memory.save_attempt(incident_id, Attempt(number=1, plan=PLAN, status=attempted))
    world.receive(signal(SOON, State.OK))

    closed(world, incident_id)

    assert status(world, incident_id) is IncidentStatus.RECOVERED


@pytest.mark.parametrize("attempted", [AttemptStatus.INTENDED, AttemptStatus.APPLIED, AttemptStatus.UNDONE])
def test_after_a_change_people_decide(world: World, attempted: AttemptStatus):
    incident_id = world.receive()
    world.memory.save_attempt(incident_id, Attempt(number=1, plan=PLAN, status=attempted))
    world.receive(signal(SOON, State.OK))

    closed(world, incident_id)

    assert status(world, incident_id) is IncidentStatus.ESCALATED


def test_a_step_that_failed_is_told_although_the_alarm_is_over(world: World):
    incident_id = world.receive()
    world.receive(signal(SOON, State.OK))

    closed(world, incident_id, error="Lambda.Unknown")

    assert status(world, incident_id) is IncidentStatus.ESCALATED


def test_it_is_not_over_while_another_of_its_alarms_is_on(world: World):
    incident_id = world.receive()
    world.receive(signal(alarm=READS), signal(SOON, State.OK))

    closed(world, incident_id)

    assert status(world, incident_id) is IncidentStatus.ESCALATED


def test_it_is_not_over_where_the_alarm_went_off_again(world: World):
    incident_id = world.receive()
    world.receive(signal(SOON, State.OK), signal(SOON + timedelta(minutes=1)))

    closed(world, incident_id)

    assert status(world, incident_id) is IncidentStatus.ESCALATED


def test_an_alarm_that_recovers_while_it_is_only_observed_has_recovered(world: World):
    """The gates say observe-only, which means people; there is nothing left for them to do."""
    from tests.unit.usecases.respond import Respond

    observed = World(workload(autonomy={"runbooks": None}))
    incident_id = observed.receive()
    observed.receive(signal(SOON, State.OK))

    Respond(observed).run(incident_id)

    assert status(observed, incident_id) is IncidentStatus.RECOVERED


def test_an_ok_after_the_end_changes_nothing(world: World):
    incident_id = world.receive()
    closed(world, incident_id)
    before = world.case(incident_id)

    world.receive(signal(LATER, State.OK))

    assert world.case(incident_id) == before
    assert world.workflows.started == [incident_id]
