"""Whatever call a room dies at, Step Functions repeats the step, and nothing happens twice.

The whole loop is played once per call that it makes to a port, with the function dying just before that call has its
effect, or just after; and once more with the port failing instead.
"""

from __future__ import annotations

from typing import Any

import pytest

from selfright.domain.errors import (
    BusyError,
    SourceDownError,
    ThrottledError,
)
from selfright.domain.incident import AttemptStatus, EntryKind, IncidentStatus
from selfright.ports import Switches
from selfright.usecases.close_incident import close_incident
from tests.unit.usecases.respond import CrashedError, Respond
from tests.unit.usecases.world import TABLE, World

RAISED = (TABLE, "PROVISIONED", 10, 20)
RESTORED = (TABLE, "PROVISIONED", 10, 10)
ON_DEMAND = (TABLE, "PAY_PER_REQUEST", 0, 0)
BEFORE = {"mode": "PROVISIONED", "read_units": 10, "write_units": 10}


def it_helps(world: World) -> None:
    del world


def it_does_not_help(world: World) -> None:
    world.throttled = lambda: 0.0 if world.table().on_demand else 20.0


SCENES = pytest.mark.parametrize("scene", [it_helps, it_does_not_help])
SIDES = pytest.mark.parametrize("before", [True, False], ids=["before", "after"])


def calls_of(scene: Any) -> list[str]:
    world = World()
    scene(world)
    Respond(world).run(world.receive())
    return world.fuse.calls


def play(world: World) -> tuple[Respond, str]:
    incident = world.receive()
    respond = Respond(world)
    respond.run(incident)
    return respond, incident


def assert_told(respond: Respond, stumbled_at: str) -> None:
    """Once; twice where the note that they were told got lost (test_tell_people.py has the details)."""
    assert 1 <= len(respond.published) <= (2 if stumbled_at == "store.note" else 1)


@SCENES
@SIDES
def test_a_crash_at_any_call_changes_nothing_about_the_outcome(
    scene: Any, before: bool, subtests: pytest.Subtests
):
    for number, call in enumerate(calls_of(scene)):
        world = World()
        scene(world)
        world.fuse.blow(number, before=before, error=CrashedError("the function died"))

        respond, incident = play(world)

        with subtests.test(f"call {number}: {call}"):
            case = world.case(incident)
            changes = {it_helps: [RAISED], it_does_not_help: [RAISED, RESTORED, ON_DEMAND]}[scene]
            assert world.dynamodb.changes == changes
            assert case.incident.status is IncidentStatus.RESOLVED
            assert case.attempts[-1].status is AttemptStatus.VERIFIED
            assert all(a.plan and a.plan.before == BEFORE for a in case.attempts)
            made = world.fuse.calls.index("tables.set_provisioned")
            assert world.fuse.calls.index("store.intend") < made
            assert len({e.key for e in case.timeline}) == len(case.timeline)
            # Every asking of the gates is on the timeline, whatever crashed.
            asked = [e for e in case.timeline if e.kind is EntryKind.GATES_ASKED]
            assert len(asked) == 1 + len(case.attempts)
            assert world.memory_leases.holder(TABLE, world.clock.now()) is None
            assert_told(respond, call)
            assert not respond.failed


@SCENES
@SIDES
def test_a_port_that_fails_once_never_makes_anything_happen_twice(
    scene: Any, before: bool, subtests: pytest.Subtests
):
    """A fact that could not be read may stop the machine: then nothing of ours is left behind."""
    for number, call in enumerate(calls_of(scene)):
        world = World()
        scene(world)
        world.fuse.blow(number, before=before, error=SourceDownError("down once"))

        respond, incident = play(world)

        with subtests.test(f"call {number}: {call}"):
            case = world.case(incident)
            assert len(world.dynamodb.changes) == len(set(world.dynamodb.changes))
            if case.incident.status is IncidentStatus.RESOLVED:
                assert case.attempts[-1].status is AttemptStatus.VERIFIED
            else:
                assert case.incident.status in {IncidentStatus.HELD, IncidentStatus.ESCALATED}
                assert world.dynamodb.states == World().dynamodb.states
            assert world.memory_leases.holder(TABLE, world.clock.now()) is None
            assert_told(respond, call)


@pytest.mark.parametrize("error", [SourceDownError, ThrottledError, BusyError])
def test_a_failure_to_ask_is_repeated_where_no_guard_depends_on_the_answer(error: type[Exception]):
    world = World()
    world.fuse.blow(calls_of(it_helps).index("tables.set_provisioned"), before=True, error=error("once"))

    _, incident = play(world)

    assert world.case(incident).incident.status is IncidentStatus.RESOLVED


class SwitchedOffAtTheCrash(Respond):
    """People throw the kill switch while the crashed step waits for its repetition."""

    def _may_retry(self, retriers: list[dict[str, Any]], tries: list[int], error: str) -> bool:
        self._world.board.switches = Switches(kill_switch=True)
        return super()._may_retry(retriers, tries, error)


def test_a_change_that_was_made_before_the_crash_is_still_judged():
    """The gates guard changes; one that is in force is settled and judged, whatever they say now."""
    world = World()
    world.fuse.blow(
        calls_of(it_helps).index("tables.set_provisioned"), before=False, error=CrashedError("died")
    )
    incident = world.receive()

    SwitchedOffAtTheCrash(world).run(incident)

    case = world.case(incident)
    assert case.incident.status is IncidentStatus.RESOLVED
    assert case.attempts[0].status is AttemptStatus.VERIFIED
    assert world.dynamodb.changes == [RAISED]


def test_a_lease_that_was_taken_before_the_crash_is_given_back():
    world = World()
    world.fuse.blow(calls_of(it_helps).index("leases.acquire"), before=False, error=CrashedError("died"))
    incident = world.receive()

    SwitchedOffAtTheCrash(world).run(incident)

    assert world.case(incident).incident.status is IncidentStatus.HELD
    assert world.dynamodb.changes == []
    assert world.memory_leases.holder(TABLE, world.clock.now()) is None


def test_a_room_that_never_answers_ends_with_people_and_the_error_kept():
    world = World()

    class Dead:
        def __getattr__(self, name: str) -> Any:
            raise CrashedError("out of memory")

    world.tables = Dead()

    respond, incident = play(world)

    case = world.case(incident)
    assert (case.incident.status, case.incident.outcome) == (
        IncidentStatus.ESCALATED,
        "a step failed: Sandbox.Timedout: out of memory",
    )
    failed = [e.text for e in case.timeline if e.kind is EntryKind.STEP_FAILED]
    assert failed == ["Sandbox.Timedout: out of memory"]
    assert respond.published


def test_people_read_what_failed_without_lambdas_document_around_it():
    world = World()
    incident_id = world.receive()
    cause = '{"errorMessage":"reading alarm x: not authorized","errorType":"SourceDownError","stackTrace":["..."]}'

    closed = close_incident(
        incident_id,
        IncidentStatus.ESCALATED,
        "a step failed",
        error=f"its execution is ABORTED; SourceDownError: {cause}",
        store=world.store,
        leases=world.leases,
        history=world.history,
        clock=world.clock,
    )

    assert closed.outcome == (
        "a step failed: its execution is ABORTED; SourceDownError: reading alarm x: not authorized"
    )
