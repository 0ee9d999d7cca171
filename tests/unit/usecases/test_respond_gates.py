"""The gates, at each of the two places where they are asked; and an alarm that changes while it is looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.budget import Counted
from selfright.domain.gates import AlarmNow, Gate, Reason, Verdict
from selfright.domain.incident import Attempt, AttemptStatus, EntryKind, IncidentStatus, Plan
from selfright.domain.manifest import Autonomy
from selfright.ports import Switches
from tests.fakes import Down
from tests.unit.usecases.respond import Respond
from tests.unit.usecases.world import (
    ALARM,
    RUNBOOK,
    TABLE,
    WENT_OFF,
    World,
    signal,
    workload,
)

RAISED = (TABLE, "PROVISIONED", 10, 20)  # 14 units of demand at 70 % of the new capacity
RESTORED = (TABLE, "PROVISIONED", 10, 10)
ON_DEMAND = (TABLE, "PAY_PER_REQUEST", 0, 0)


PLAN = Plan(
    action="dynamodb.raise_capacity",
    resource="orders",
    target=TABLE,
    summary="more",
    before={"write_units": 5},
    after={"write_units": 10},
)


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


def history_down(world: World) -> None:
    world.history = Down()


def flapping(world: World) -> None:
    """It was on and off twice before it stayed on; the alarm that is on is the last of five changes."""
    was = WENT_OFF
    for minutes, state in ((-20, State.ALARM), (-15, State.OK), (-10, State.ALARM), (-5, State.OK)):
        at = was + timedelta(minutes=minutes)
        world.memory.recover("another-problem", signal(at, state), world.clock.now())


def many_in_trouble(world: World) -> None:
    for n in range(3):
        place = ("shop", "development")
        world.memory._troubles.setdefault(place, {})[f"problem-{n}"] = (f"resource-{n}", f"inc-{n}")


def past(world: World, *minutes_ago: float, status: AttemptStatus, remedy: str = "raise-capacity") -> None:
    """Changes by incidents of their own, whose alarms went off a minute before."""
    for minutes in minutes_ago:
        at = world.clock.now() - timedelta(minutes=minutes)
        attempt = Attempt(
            number=1,
            remedy=remedy,
            plan=PLAN,
            status=status,
            intended_at=at,
            episode=at - timedelta(minutes=1),
        )
        world.memory.save_attempt(f"inc-{minutes}", attempt)


def caused_by_us(world: World) -> None:
    past(world, 10, 20, status=AttemptStatus.VERIFIED)


def failed_in_a_row(world: World) -> None:
    past(world, 50, 300, 600, status=AttemptStatus.UNDONE, remedy="another")


def counted(world: World, *minutes_ago: float) -> None:
    now = world.clock.now()
    world.memory._counted["shop", "development"] = tuple(
        Counted(at=now - timedelta(minutes=m), incident=f"inc-{m}", attempt=1) for m in minutes_ago
    )


def hour_spent(world: World) -> None:
    counted(world, 1, 2, 3, 59)


def day_spent(world: World) -> None:
    counted(world, *(60.0 * h for h in range(1, 13)))


EVERYWHERE: list[tuple[Any, Gate, Reason, IncidentStatus]] = [
    (switched_off, Gate.KILL_SWITCH, Reason.SWITCHED_OFF, IncidentStatus.HELD),
    (switch_board_down, Gate.KILL_SWITCH, Reason.SOURCE_DOWN, IncidentStatus.ESCALATED),
    (recovered, Gate.STALE_EPISODE, Reason.ALARM_OVER, IncidentStatus.RECOVERED),
    (went_off_again, Gate.STALE_EPISODE, Reason.OTHER_EPISODE, IncidentStatus.HELD),
    (alarm_deleted, Gate.STALE_EPISODE, Reason.ALARM_GONE, IncidentStatus.HELD),
    (grown_old, Gate.STALE_EPISODE, Reason.EPISODE_TOO_OLD, IncidentStatus.HELD),
    (alarms_down, Gate.STALE_EPISODE, Reason.SOURCE_DOWN, IncidentStatus.ESCALATED),
    (muted, Gate.MUTED, Reason.ALARM_MUTED, IncidentStatus.HELD),
    (suppressed, Gate.MUTED, Reason.ACTIONS_SUPPRESSED, IncidentStatus.HELD),
    (history_down, Gate.STORM, Reason.SOURCE_DOWN, IncidentStatus.ESCALATED),
    (many_in_trouble, Gate.STORM, Reason.TOO_MANY_IN_TROUBLE, IncidentStatus.ESCALATED),
    (caused_by_us, Gate.OWN_ACTION, Reason.CAUSED_BY_US, IncidentStatus.ESCALATED),
    (failed_in_a_row, Gate.FAILURES, Reason.FAILED_TOO_OFTEN, IncidentStatus.ESCALATED),
    (hour_spent, Gate.BUDGET, Reason.HOUR_SPENT, IncidentStatus.ESCALATED),
    (day_spent, Gate.BUDGET, Reason.DAY_SPENT, IncidentStatus.ESCALATED),
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


def without_effect(world: World) -> None:
    past(world, 200, 400, 600, status=AttemptStatus.UNDONE)


def just_failed(world: World) -> None:
    past(world, 0.5, status=AttemptStatus.UNDONE)


def huge_demand(world: World) -> None:
    world.demand(write=60.0)


BEFORE_A_CHANGE: list[tuple[Any, Gate, Reason, IncidentStatus]] = [
    (lowered_to(Autonomy.OBSERVE), Gate.AUTONOMY, Reason.OBSERVE_ONLY, IncidentStatus.ESCALATED),
    (lowered_to(Autonomy.SUGGEST), Gate.AUTONOMY, Reason.SUGGEST_ONLY, IncidentStatus.ESCALATED),
    (lowered_to(Autonomy.APPROVE), Gate.AUTONOMY, Reason.NEEDS_APPROVAL, IncidentStatus.ESCALATED),
    (flapping, Gate.FLAPPING, Reason.ALARM_FLAPS, IncidentStatus.ESCALATED),
    (without_effect, Gate.ATTEMPTS, Reason.INEFFECTIVE_CHAIN, IncidentStatus.ESCALATED),
    (just_failed, Gate.BACK_OFF, Reason.BACKING_OFF, IncidentStatus.HELD),
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


@pytest.mark.parametrize("moment", ["Choose the runbook", "Apply the action"])
@pytest.mark.parametrize("source", ["switches", "alarms", "history"])
def test_a_source_that_is_down_for_a_moment_is_asked_again(world: World, moment: str, source: str):
    incident = world.receive()
    well = getattr(world, source)
    respond = when(world, moment, lambda world: setattr(world, source, DownOnce(well)))

    respond.run(incident)

    assert outcome(world, incident)[0] is IncidentStatus.RESOLVED
    assert len(world.dynamodb.changes) == 1


class DownOnce:
    """A port that fails the first time it is asked anything."""

    def __init__(self, well: Any) -> None:
        self._well, self._asked = well, False

    def __getattr__(self, name: str) -> Any:
        if not self._asked:
            self._asked = True
            return getattr(Down(), name)
        return getattr(self._well, name)


def assert_stopped(world: World, incident: str, gate: Gate, reason: Reason, status: IncidentStatus) -> None:
    assert outcome(world, incident)[0] is status
    asked_in_vain = reason is Reason.SOURCE_DOWN
    why = f"a step failed: SourceDownError: gate {gate}: " if asked_in_vain else f"gate {gate}: {reason}"
    assert outcome(world, incident)[1].startswith(why)
    assert world.dynamodb.changes == []
    asked = [e for e in world.case(incident).timeline if e.kind is EntryKind.GATES_ASKED]
    assert asked[-1].text.startswith(f"{gate}: ")
    assert len(asked[-1].detail["gates"]) == len(Gate)


def test_a_protected_resource_gets_a_proposal_and_no_change():
    world = World(workload(resources={"orders": {"protected": True}}))

    respond, incident = played(world)

    assert_stopped(world, incident, Gate.PROTECTED, Reason.RESOURCE_PROTECTED, IncidentStatus.ESCALATED)
    assert "(proposed, not carried out)" in respond.published[0]["Message"]


@pytest.mark.parametrize("demand", [float("inf"), float("nan"), -1.0, 1e14])
def test_from_a_number_that_cannot_be_true_nothing_is_worked_out(world: World, demand: float):
    world.demand(write=demand)

    _, incident = played(world)

    case = world.case(incident)
    assert case.incident.status is IncidentStatus.ESCALATED
    assert world.dynamodb.changes == []
    assert [a.plan for a in case.attempts] == [None]


def test_an_undo_is_always_allowed(world: World):
    """Whatever has happened since the change: no gate keeps its before-values away."""

    world.throttled = lambda: 20.0

    def everything(world: World) -> None:
        for happens in (switched_off, many_in_trouble, hour_spent, caused_by_us):
            happens(world)

    incident = world.receive()
    when(world, "Judge the outcome", everything).run(incident)

    assert world.dynamodb.changes == [RAISED, RESTORED]


def test_an_action_that_triggers_its_own_alarm_stops_within_its_cap(world: World):
    """It helps, and ten minutes later the alarm is on again, every time."""
    outcomes, published = [], 0
    for _ in range(8):
        respond, incident = played_again(world)
        published += len(respond.published)
        outcomes.append(outcome(world, incident)[0])
        world.dynamodb.states[TABLE] = World().table()
        world.pass_time(600)

    resolved = [o for o in outcomes if o is IncidentStatus.RESOLVED]
    assert outcomes[:3] == [IncidentStatus.RESOLVED] * 2 + [IncidentStatus.ESCALATED]
    assert len(world.dynamodb.changes) == len(resolved)
    assert len(resolved) <= world.workload.limits.actions_per_hour
    assert published == 8


def played_again(world: World) -> tuple[Respond, str]:
    now = world.clock.now()
    world.cloudwatch.states[ALARM] = AlarmNow(state=State.ALARM, since=now)
    incident = world.receive(signal(now))
    respond = Respond(world)
    respond.run(incident)
    return respond, incident


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
