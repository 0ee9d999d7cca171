"""The sweep: finds what fell through, mends what it can, and fails loudly where it could not look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.errors import SourceDownError
from selfright.domain.incident import Attempt, AttemptStatus, IncidentStatus
from selfright.domain.signal import Decision
from selfright.usecases.sweep import GRACE, OLDEST_EPISODE, SweepReport, sweep
from tests.fakes import Down
from tests.unit.usecases.respond import Respond
from tests.unit.usecases.test_late_ok import PLAN
from tests.unit.usecases.world import ALARM, GUARD, TABLE, WENT_OFF, World, signal

OVERDUE = GRACE + timedelta(seconds=1)


@pytest.fixture
def world() -> World:
    """The alarm went off, and so long ago that its event should have come."""
    world = World()
    world.clock.advance(OVERDUE.total_seconds())
    return world


def swept(world: World, **instead: Any) -> SweepReport:
    ports = {
        "store": world.memory,
        "leases": world.memory_leases,
        "history": world.memory,
        "alarms": world.cloudwatch,
        "workflows": world.workflows,
        "messenger": world.messenger,
        "releases": world.releases,
        "deployments": world.deployments,
    }
    return sweep(workloads=tuple(world.workloads.values()), clock=world.clock, **{**ports, **instead})


def stuck(world: World, execution: str) -> str:
    """An incident that stayed open although its execution is over."""
    incident_id = world.receive()
    world.workflows.statuses[incident_id] = execution
    world.clock.advance(OVERDUE.total_seconds())
    return incident_id


def left_open(world: World, undoing: str) -> str:
    """An incident that stayed open although its undoing is over as well."""
    incident_id = stuck(world, "FAILED")
    world.workflows.undo(incident_id, 1, "respond: FAILED")
    world.workflows.undoings[incident_id] = undoing
    return incident_id


# -- alarms


def test_an_alarm_that_nobody_decided_on_is_taken_in(world: World):
    report = swept(world)

    (incident_id,) = report.opened
    incident = world.case(incident_id).incident
    assert (incident.alarm_name, incident.episode) == (ALARM, WENT_OFF)
    assert world.workflows.started == [incident_id]


def test_what_it_took_in_goes_the_same_way_as_any_other(world: World):
    (incident_id,) = swept(world).opened

    Respond(world).run(incident_id)

    assert world.case(incident_id).incident.status is IncidentStatus.RESOLVED


@pytest.mark.parametrize("stamped_later", [-0.9, -0.004, 0.0, 0.004, 0.9])
def test_an_alarm_that_was_decided_is_left_alone_whoever_stamped_it(world: World, stamped_later: float):
    """CloudWatch stamps the event and the API's answer separately."""
    world.receive(signal(WENT_OFF + timedelta(seconds=stamped_later)))

    assert swept(world).opened == ()


def test_the_event_that_comes_after_the_sweep_is_no_second_incident(world: World):
    (incident_id,) = swept(world).opened

    assert world.receive() == incident_id
    assert world.workflows.started == [incident_id]


def test_what_may_still_be_on_its_way_is_left_alone():
    fresh = World()

    assert swept(fresh) == SweepReport()


def test_an_episode_older_than_the_records_is_left_alone(world: World):
    world.cloudwatch.change(ALARM, since=world.clock.now() - OLDEST_EPISODE)

    assert swept(world).opened == ()


def test_alarms_that_are_not_on_are_none_of_its_business(world: World):
    world.cloudwatch.change(ALARM, state=State.OK)

    assert swept(world).opened == ()


def test_an_alarm_of_a_known_problem_joins_it(world: World):
    incident_id = world.receive(signal(alarm="shop-development-orders-reads-throttled"))

    report = swept(world)

    assert report.opened == ()
    assert world.case(incident_id).incident.signals == 2


# -- incidents


@pytest.mark.parametrize("execution", ["FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED"])
def test_an_incident_whose_execution_is_over_is_undone(world: World, execution: str):
    incident_id = stuck(world, execution)
    for number, status in ((1, AttemptStatus.UNDONE), (2, AttemptStatus.INTENDED)):
        world.memory.save_attempt(incident_id, Attempt(number=number, plan=PLAN, status=status))

    report = swept(world)

    assert (report.undoing, report.handed_over) == ((incident_id,), ())
    assert world.workflows.undone == {incident_id: (2, f"its execution is {execution}")}
    assert world.messenger.told == []


def test_an_undoing_that_is_under_way_is_left_alone(world: World):
    incident_id = stuck(world, "FAILED")
    swept(world)

    assert swept(world) == SweepReport()
    assert world.case(incident_id).incident.status is IncidentStatus.OPEN


@pytest.mark.parametrize("execution", ["FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED"])
def test_an_incident_whose_undoing_is_over_is_handed_to_people(world: World, execution: str):
    incident_id = left_open(world, execution)
    world.memory_leases.acquire(TABLE, incident_id, world.clock.now() + timedelta(hours=1), world.clock.now())
    world.memory.save_attempt(incident_id, Attempt(number=1, plan=PLAN, status=AttemptStatus.INTENDED))

    report = swept(world)

    assert report.handed_over == (incident_id,)
    assert world.case(incident_id).incident.status is IncidentStatus.ESCALATED
    assert world.memory_leases.holder(TABLE, world.clock.now()) is None
    (told,) = world.messenger.told
    assert execution in told.text
    assert "10 to 20 units (interrupted: check the resource)" in told.text


def test_people_are_told_once(world: World):
    left_open(world, "FAILED")
    swept(world)

    assert swept(world).handed_over == ()
    assert len(world.messenger.told) == 1


def test_nothing_is_closed_that_people_could_not_be_told_of(world: World):
    incident_id = left_open(world, "FAILED")

    with pytest.raises(SourceDownError, match="it is down"):
        swept(world, messenger=Down())

    assert world.case(incident_id).incident.status is IncidentStatus.OPEN


def test_an_incident_that_was_closed_meanwhile_stays_as_it_is(world: World):
    """The list is an index that lags behind: the case itself counts."""
    incident_id = stuck(world, "SUCCEEDED")
    listed = world.memory.open_incidents("shop", "development", WENT_OFF)
    Respond(world).run(incident_id)
    before = world.case(incident_id)
    world.memory.open_incidents = lambda *_: listed

    assert swept(world) == SweepReport()
    assert world.case(incident_id) == before
    assert world.messenger.told == []


@pytest.mark.parametrize("execution", ["RUNNING", "PENDING_REDRIVE"])
def test_an_incident_that_is_worked_on_is_left_alone(world: World, execution: str):
    incident_id = stuck(world, execution)

    assert swept(world) == SweepReport()
    assert world.case(incident_id).incident.status is IncidentStatus.OPEN


def test_an_incident_that_was_never_started_is_started(world: World):
    incident_id = stuck(world, "RUNNING")
    world.workflows.started.clear()

    assert swept(world).started == (incident_id,)
    assert world.workflows.started == [incident_id]
    assert world.messenger.told == []


def test_an_incident_that_was_opened_just_now_is_left_alone(world: World):
    incident_id = world.receive()
    world.workflows.statuses[incident_id] = "FAILED"

    assert swept(world) == SweepReport()


# -- leases


def test_a_lease_that_ran_out_is_freed(world: World):
    world.receive()
    world.memory_leases.acquire(TABLE, "inc-gone", world.clock.now(), world.clock.now())

    assert swept(world).freed == (TABLE,)
    assert world.memory_leases.lapsed(TABLE, world.clock.now()) is None


def test_a_lease_that_holds_is_left_alone(world: World):
    world.receive()
    until = world.clock.now() + timedelta(seconds=1)
    world.memory_leases.acquire(TABLE, "inc-1", until, world.clock.now())

    assert swept(world).freed == ()
    assert world.memory_leases.holder(TABLE, world.clock.now()) == "inc-1"


# -- failing


@pytest.mark.parametrize("down", ["alarms", "workflows", "leases"])
def test_what_cannot_be_looked_at_stops_nothing_else_and_is_not_kept_quiet(world: World, down: str):
    incident_id = left_open(world, "FAILED")
    world.cloudwatch.change(GUARD, state=State.ALARM, since=WENT_OFF)
    world.memory_leases.acquire(TABLE, "inc-gone", world.clock.now(), world.clock.now())

    with pytest.raises(SourceDownError, match="it is down"):
        swept(world, **{down: Down()})

    handed_over = world.case(incident_id).incident.status is IncidentStatus.ESCALATED
    freed = world.memory_leases.lapsed(TABLE, world.clock.now()) is None
    guard = world.memory.decision(signal(alarm=GUARD).id)
    assert (handed_over, freed) == (down != "workflows", down != "leases")
    assert (guard is None) == (down == "alarms")
    if guard:
        assert guard.decision is Decision.OPENED
