"""The gates, at each of the two places where they are asked; and an alarm that changes while it is looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.gates import AlarmNow, Gate, Reason, Verdict
from selfright.domain.incident import AttemptStatus, EntryKind, IncidentStatus
from selfright.domain.manifest import Autonomy
from selfright.ports import Switches
from tests.fakes import Down
from tests.unit.usecases.respond import Respond
from tests.unit.usecases.world import (
    ALARM,
    RUNBOOK,
    TABLE,
    World,
    signal,
    workload,
)

RAISED = (TABLE, "PROVISIONED", 10, 20)  # 14 units of demand at 70 % of the new capacity
RESTORED = (TABLE, "PROVISIONED", 10, 10)
ON_DEMAND = (TABLE, "PAY_PER_REQUEST", 0, 0)


@pytest.fixture
def world() -> World:
    return World()


def played(world: World) -> tuple[Respond, str]:
    incident_id = world.receive()
    respond = Respond(world)
    respond.run(incident_id)
    return respond, incident_id


def outcome(world: World, incident_id: str) -> tuple[IncidentStatus, str]:
    incident = world.case(incident_id).incident
    return incident.status, str(incident.outcome)


def switched_off(world: World) -> None:
    world.board.switches = Switches(kill_switch=True)


def switch_board_down(world: World) -> None:
    world.switches = Down()


def recovered(world: World) -> None:
    world.cloudwatch.change(ALARM, state=State.OK, since=world.clock.now())


def went_off_again(world: World) -> None:
    world.cloudwatch.change(ALARM, since=world.clock.now() + timedelta(seconds=30))


def alarm_deleted(world: World) -> None:
    del world.cloudwatch.states[ALARM]


def grown_old(world: World) -> None:
    world.clock.advance(3600)


def muted(world: World) -> None:
    world.cloudwatch.change(ALARM, muted_by="nightly")


def suppressed(world: World) -> None:
    world.cloudwatch.change(ALARM, suppressed_by="WaitPeriod")


def alarms_down(world: World) -> None:
    world.alarms = Down()


EVERYWHERE: list[tuple[Any, Gate, Reason, IncidentStatus]] = [
    (switched_off, Gate.KILL_SWITCH, Reason.SWITCHED_OFF, IncidentStatus.HELD),
    (switch_board_down, Gate.KILL_SWITCH, Reason.SOURCE_DOWN, IncidentStatus.HELD),
    (recovered, Gate.STALE_EPISODE, Reason.ALARM_OVER, IncidentStatus.RECOVERED),
    (went_off_again, Gate.STALE_EPISODE, Reason.OTHER_EPISODE, IncidentStatus.HELD),
    (alarm_deleted, Gate.STALE_EPISODE, Reason.ALARM_GONE, IncidentStatus.HELD),
    (grown_old, Gate.STALE_EPISODE, Reason.EPISODE_TOO_OLD, IncidentStatus.HELD),
    (alarms_down, Gate.STALE_EPISODE, Reason.SOURCE_DOWN, IncidentStatus.HELD),
    (muted, Gate.MUTED, Reason.ALARM_MUTED, IncidentStatus.HELD),
    (suppressed, Gate.MUTED, Reason.ACTIONS_SUPPRESSED, IncidentStatus.HELD),
]


def held_by_another(world: World) -> None:
    now = world.clock.now()
    world.memory_leases.acquire(TABLE, "inc-other", now + timedelta(hours=1), now)


def acted_a_moment_ago(world: World) -> None:
    now = world.clock.now()
    fence = world.memory_leases.acquire(TABLE, "inc-other", now + timedelta(hours=1), now)
    world.memory_leases.note_action(TABLE, "inc-other", fence, now)
    world.memory_leases.release(TABLE, "inc-other")


def lowered_to(level: Autonomy) -> Any:
    def lower(world: World) -> None:
        world.board.switches = Switches(kill_switch=False, autonomy={RUNBOOK: level})

    return lower


def huge_demand(world: World) -> None:
    world.demand(write=60.0)


BEFORE_A_CHANGE: list[tuple[Any, Gate, Reason, IncidentStatus]] = [
    (lowered_to(Autonomy.OBSERVE), Gate.AUTONOMY, Reason.OBSERVE_ONLY, IncidentStatus.ESCALATED),
    (lowered_to(Autonomy.SUGGEST), Gate.AUTONOMY, Reason.SUGGEST_ONLY, IncidentStatus.ESCALATED),
    (lowered_to(Autonomy.APPROVE), Gate.AUTONOMY, Reason.NEEDS_APPROVAL, IncidentStatus.ESCALATED),
    (held_by_another, Gate.LEASE, Reason.HELD_BY_ANOTHER, IncidentStatus.HELD),
    (acted_a_moment_ago, Gate.COOL_DOWN, Reason.TOO_SOON, IncidentStatus.HELD),
    (huge_demand, Gate.BLAST_RADIUS, Reason.TOO_LARGE_A_STEP, IncidentStatus.ESCALATED),
]


def when(world: World, state: str, happens: Any) -> Respond:
    """An execution during which something happens just before `state` is entered for the first time."""

    class Watched(Respond):
        def _enter(self, body: dict[str, Any]) -> str | None:
            if self.visited[-1] == state and self.visited.count(state) == 1:
                happens(world)
            return super()._enter(body)

    return Watched(world)


@pytest.mark.parametrize(("happens", "gate", "reason", "status"), EVERYWHERE)
def test_a_gate_stops_before_anybody_looks_closer(
    world: World, happens: Any, gate: Gate, reason: Reason, status: IncidentStatus
):
    incident = world.receive()
    respond = when(world, "Choose the runbook", happens)
    respond.run(incident)

    assert_stopped(world, incident, gate, reason, status)
    assert "Run the checks" not in respond.visited
    assert world.case(incident).attempts == ()


@pytest.mark.parametrize(("happens", "gate", "reason", "status"), [*EVERYWHERE, *BEFORE_A_CHANGE])
def test_a_gate_stops_just_before_the_change(
    world: World, happens: Any, gate: Gate, reason: Reason, status: IncidentStatus
):
    incident = world.receive()
    moment = "Run the checks" if happens is huge_demand else "Apply the action"
    respond = when(world, moment, happens)
    respond.run(incident)

    assert_stopped(world, incident, gate, reason, status)
    (attempt,) = world.case(incident).attempts
    assert attempt.status is AttemptStatus.REFUSED
    assert attempt.plan  # what would have been done is on record
    refusal = next(g for g in attempt.gates if g.gate is gate)
    assert (refusal.verdict in {Verdict.STOP, Verdict.ASK}, refusal.reason) == (True, reason)


def assert_stopped(world: World, incident: str, gate: Gate, reason: Reason, status: IncidentStatus) -> None:
    assert outcome(world, incident)[0] is status
    assert outcome(world, incident)[1].startswith(f"gate {gate}: {reason}")
    assert world.dynamodb.changes == []
    asked = [e for e in world.case(incident).timeline if e.kind is EntryKind.GATES_ASKED]
    assert asked[-1].text.startswith(f"{gate}: ")
    assert len(asked[-1].detail["gates"]) == len(Gate)


def test_a_freeze_stops_the_machine():
    freeze = {"name": "year end", "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}
    world = World(workload(windows={"freezes": [freeze]}))

    _, incident = played(world)

    assert_stopped(world, incident, Gate.WINDOW, Reason.CHANGE_FREEZE, IncidentStatus.HELD)


def test_the_switch_board_lowers_autonomy_but_never_raises_it():
    world = World(workload(autonomy={"runbooks": {RUNBOOK: "suggest"}}))
    world.board.switches = Switches(kill_switch=False, autonomy={RUNBOOK: Autonomy.AUTO})

    _, incident = played(world)

    assert_stopped(world, incident, Gate.AUTONOMY, Reason.SUGGEST_ONLY, IncidentStatus.ESCALATED)


def test_an_alarm_that_flaps_while_it_is_looked_at_is_still_remedied(world: World):
    """Its second going-off joined this incident, so nobody else will deal with it."""

    def flap(world: World) -> None:
        world.clock.advance(60)
        back, again = world.clock.now() - timedelta(seconds=40), world.clock.now() - timedelta(seconds=5)
        world.receive(signal(back, State.OK), signal(again))
        world.cloudwatch.states[ALARM] = AlarmNow(state=State.ALARM, since=again)

    incident = world.receive()
    when(world, "Apply the action", flap).run(incident)

    assert outcome(world, incident)[0] is IncidentStatus.RESOLVED
    assert world.dynamodb.changes == [RAISED]


def test_an_alarm_that_goes_off_again_after_the_change_does_not_shorten_what_was_before(world: World):
    world.throttled = lambda: 20.0

    def flap(world: World) -> None:
        now = world.clock.now()
        world.receive(signal(now - timedelta(seconds=90), State.OK), signal(now - timedelta(seconds=60)))

    incident = world.receive()
    when(world, "Judge the outcome", flap).run(incident)

    judgement = world.case(incident).attempts[0].judgement
    assert judgement
    assert len(judgement.before) == 14  # whole minutes in the quarter of an hour before the change


def test_an_alarm_whose_second_going_off_is_not_told_yet_gets_an_incident_of_its_own(world: World):
    incident = world.receive()
    again = world.clock.now() + timedelta(seconds=30)
    when(world, "Apply the action", went_off_again).run(incident)
    assert outcome(world, incident)[0] is IncidentStatus.HELD

    world.clock.advance(31)
    second = world.receive(signal(again))
    Respond(world).run(second)

    assert second != incident
    assert outcome(world, second)[0] is IncidentStatus.RESOLVED


def test_after_a_resolved_incident_a_later_alarm_opens_a_new_one(world: World):
    _, first = played(world)
    world.clock.advance(7200)

    second = world.receive(signal(world.clock.now()))

    assert second != first
    assert world.workflows.started == [first, second]
