"""`undo`, played with the real handlers: what an execution that died has changed is put back, or people are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.incident import AttemptStatus, IncidentStatus
from tests.unit.usecases.respond import CrashedError, Respond
from tests.unit.usecases.test_crashes import RAISED, RESTORED
from tests.unit.usecases.world import TABLE, World

FAILURE = "respond: TIMED_OUT"


class DeadError(BaseException):
    """The execution ends here: no state of it runs any more."""


def died_at(world: World, call: str) -> str:
    """An incident whose execution ended as soon as it had made that call to a port."""
    incident_id, respond = world.receive(), Respond(world)
    rehearsal = World()
    Respond(rehearsal).run(rehearsal.receive())
    world.fuse.blow(rehearsal.fuse.calls.index(call), before=False, error=DeadError())
    with pytest.raises(DeadError):
        respond.run(incident_id)
    return incident_id


def undo_lost(world: World, incident_id: str) -> Respond:
    played = Respond(world, "undo")
    played.run(incident_id, attempt=1, failure=FAILURE)
    return played


def changes_of(world: World) -> list[Any]:
    return world.dynamodb.changes


def test_a_change_that_nobody_judges_any_more_is_undone():
    world = World()
    incident_id = died_at(world, "tables.set_provisioned")

    played = undo_lost(world, incident_id)

    case = world.case(incident_id)
    assert changes_of(world) == [RAISED, RESTORED]
    assert (case.incident.status, case.attempt(1).status) == (IncidentStatus.ESCALATED, AttemptStatus.UNDONE)
    assert case.incident.outcome == f"nobody works on it any more: {FAILURE}"
    assert world.memory_leases.holder(TABLE, world.clock.now()) is None
    (told,) = played.published
    assert "(undone)" in str(told)


def test_nothing_is_undone_where_nothing_was_changed():
    world = World()
    incident_id = died_at(world, "leases.acquire")

    undo_lost(world, incident_id)

    assert changes_of(world) == []
    assert world.case(incident_id).incident.status is IncidentStatus.ESCALATED
    assert world.memory_leases.holder(TABLE, world.clock.now()) is None


def test_a_change_that_has_proven_itself_stays_and_resolves_the_incident():
    world = World()
    incident_id = world.receive()
    Respond(world).run(incident_id)
    proven = world.case(incident_id)
    other = World()
    other_id = other.receive()
    other.table, other.dynamodb = world.table, world.dynamodb
    other.memory.save_attempt(other_id, proven.attempts[0])

    undo_lost(other, other_id)

    case = other.case(other_id)
    assert changes_of(other) == [RAISED]
    assert case.incident.status is IncidentStatus.RESOLVED
    assert case.incident.outcome == f"{proven.attempts[0].plan.summary}; afterwards a step failed: {FAILURE}"  # type: ignore[union-attr]


def test_a_target_that_another_incident_holds_by_now_is_not_touched_and_people_are_told_what_stands():
    world = World()
    incident_id = died_at(world, "tables.set_provisioned")
    world.pass_time(timedelta(hours=2).total_seconds())
    now = world.clock.now()
    world.memory_leases.acquire(TABLE, "inc-other", now + timedelta(hours=1), now)

    played = undo_lost(world, incident_id)

    assert changes_of(world) == [RAISED]
    assert world.memory_leases.holder(TABLE, now) == "inc-other"
    assert world.case(incident_id).incident.status is IncidentStatus.ESCALATED
    (told,) = played.published
    assert "interrupted: check the resource" in str(told)


def test_a_crash_at_any_call_of_the_undoing_changes_nothing_about_its_outcome(subtests: pytest.Subtests):
    rehearsal = World()
    rehearsed = died_at(rehearsal, "tables.set_provisioned")
    before = len(rehearsal.fuse.calls)
    undo_lost(rehearsal, rehearsed)
    for number in range(before, len(rehearsal.fuse.calls)):
        for side in (True, False):
            world = World()
            incident_id = died_at(world, "tables.set_provisioned")
            world.fuse.blow(number, before=side, error=CrashedError("the function died"))

            played = undo_lost(world, incident_id)

            with subtests.test(f"{rehearsal.fuse.calls[number]}, {'before' if side else 'after'}"):
                assert changes_of(world) == [RAISED, RESTORED]
                assert world.case(incident_id).incident.status is IncidentStatus.ESCALATED
                assert world.memory_leases.holder(TABLE, world.clock.now()) is None
                assert played.published
