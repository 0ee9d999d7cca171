"""AWS answers late or refuses, others change the table, the lease is lost: what then of a change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from selfright.domain.errors import (
    BusyError,
    ConflictError,
    RefusedError,
    SourceDownError,
    ThrottledError,
)
from selfright.domain.incident import AttemptStatus, EntryKind, IncidentStatus
from selfright.ports import ScalingTarget, Switches, Throttles, Usage
from tests.unit.usecases.respond import CrashedError, Respond
from tests.unit.usecases.world import TABLE, World

RAISED = (TABLE, "PROVISIONED", 10, 20)


def play(world: World) -> tuple[Respond, str]:
    incident = world.receive()
    respond = Respond(world)
    respond.run(incident)
    return respond, incident


class Tables:
    """The world's table with one answer replaced: `hook(call number of this method)` may act or raise."""

    def __init__(self, world: World, **hooks: Any) -> None:
        self._inner, self._hooks = world.tables, hooks
        self._counts: dict[str, int] = {}

    def __getattr__(self, method: str) -> Any:
        inner, hook = getattr(self._inner, method), self._hooks.get(method)
        if hook is None:
            return inner

        def call(*args: Any) -> Any:
            self._counts[method] = self._counts.get(method, 0) + 1
            return hook(self._counts[method], lambda: inner(*args))

        return call


def test_a_change_that_got_through_unseen_is_not_taken_for_refused():
    """UpdateTable timed out, the table was not read as changed yet, and the repeat is refused: nothing would change."""
    world = World()

    def lost_answer_then_refusal(number: int, go: Any) -> None:
        if number == 1:
            world.dynamodb.states[TABLE] = world.table()  # not visible yet
            raise SourceDownError("read timeout")
        go()
        raise RefusedError("The provisioned throughput for the table will not change")

    world.tables = Tables(world, set_provisioned=lost_answer_then_refusal)

    _, incident = play(world)

    (attempt,) = world.case(incident).attempts
    assert attempt.status is AttemptStatus.VERIFIED
    assert world.case(incident).incident.status is IncidentStatus.RESOLVED


def test_an_undo_that_got_through_unseen_is_not_taken_for_refused():
    world = World()
    world.throttled = lambda: 20.0

    def lost_answer_then_refusal(number: int, go: Any) -> None:
        if number == 2:  # the undo
            unseen = world.table()
            go()
            world.dynamodb.states[TABLE] = unseen  # not visible yet
            raise SourceDownError("read timeout")
        go()
        if number > 2:
            raise RefusedError("The provisioned throughput for the table will not change")

    world.tables = Tables(world, set_provisioned=lost_answer_then_refusal)

    _, incident = play(world)

    assert world.case(incident).attempts[0].status is AttemptStatus.UNDONE
    assert len(world.case(incident).attempts) > 1  # the next remedy had its turn


def test_a_check_whose_source_was_down_once_is_run_again():
    world = World()

    def down_once(number: int, go: Any) -> Any:
        if number == 1:
            raise ThrottledError("slow down")
        return go()

    world.tables = Tables(world, describe=down_once)

    _, incident = play(world)

    case = world.case(incident)
    assert case.incident.status is IncidentStatus.RESOLVED
    checked = next(entry for entry in case.timeline if entry.kind is EntryKind.CHECKS_RUN)
    assert checked.detail["failed"] == {}


def test_a_refusal_is_on_record_and_the_next_remedy_comes():
    world = World()

    def refuse(number: int, go: Any) -> None:
        raise RefusedError("LimitExceededException")

    world.tables = Tables(world, set_provisioned=refuse)

    _, incident = play(world)

    first, second = world.case(incident).attempts
    assert (first.status, second.remedy) == (AttemptStatus.REFUSED, "switch-to-on-demand")
    refusals = [e.text for e in world.case(incident).timeline if e.key == "attempt-1-refused"]
    assert refusals == ["refused: LimitExceededException"]


def test_a_table_that_is_busy_is_waited_for():
    world = World()

    def busy_twice(number: int, go: Any) -> Any:
        if number <= 3:
            raise BusyError("orders is UPDATING")
        return go()

    world.tables = Tables(world, set_provisioned=busy_twice)

    _, incident = play(world)

    assert world.case(incident).incident.status is IncidentStatus.RESOLVED
    assert world.dynamodb.changes == [RAISED]


def test_after_an_undo_the_next_remedy_waits_for_the_table():
    """On AWS a table is UPDATING for a while after each change, also after the one that took a remedy back."""
    world = World()
    world.throttled = lambda: 0.0 if world.table().on_demand else 20.0
    looks_until_active = 0

    def change(number: int, go: Any) -> None:
        nonlocal looks_until_active
        go()
        looks_until_active = 3

    def describe(number: int, go: Any) -> Any:
        nonlocal looks_until_active
        looks_until_active -= 1
        return go() if looks_until_active < 0 else go().model_copy(update={"status": "UPDATING"})

    world.tables = Tables(world, set_provisioned=change, describe=describe)

    _, incident = play(world)

    first, second = world.case(incident).attempts
    assert (first.remedy, first.status) == ("raise-capacity", AttemptStatus.UNDONE)
    assert (second.remedy, second.status) == ("switch-to-on-demand", AttemptStatus.VERIFIED)


def somebody_sets(world: World, units: int) -> None:
    world.dynamodb.states[TABLE] = world.table().model_copy(update={"write_units": units})


def test_a_change_by_somebody_else_between_plan_and_lease_is_not_overwritten():
    world = World()
    acquire = world.leases.acquire

    class Leases:
        def __getattr__(self, method: str) -> Any:
            if method != "acquire":
                return getattr(world.memory_leases, method)
            somebody_sets(world, 40)
            return acquire

    world.leases = Leases()

    _, incident = play(world)

    assert world.table().write_units == 40
    assert world.dynamodb.changes == []
    case = world.case(incident)
    assert case.incident.status is IncidentStatus.ESCALATED
    assert any(
        "DriftedError" in e.text and "'write_units': 40" in e.text
        for e in case.timeline
        if e.kind is EntryKind.STEP_FAILED
    )


def test_a_change_by_somebody_else_after_a_crash_is_not_overwritten():
    world = World()

    def dies_and_somebody_comes(number: int, go: Any) -> None:
        somebody_sets(world, 33)
        raise CrashedError("the function died")

    world.tables = Tables(world, set_provisioned=dies_and_somebody_comes)

    respond, incident = play(world)

    assert (world.table().write_units, world.dynamodb.changes) == (33, [])
    assert world.case(incident).attempts[0].status is AttemptStatus.INTENDED
    assert "(interrupted: check the resource)" in respond.published[0]["Message"]


def test_an_undo_never_overwrites_somebody_elses_change():
    world = World()
    world.throttled = lambda: 20.0

    class Meddled(Respond):
        def _enter(self, state: dict[str, Any]) -> str | None:
            if self.visited[-1] == "Undo the action":
                somebody_sets(world, 50)
            return super()._enter(state)

    incident = world.receive()
    Meddled(world).run(incident)

    assert (world.table().write_units, world.dynamodb.changes) == (50, [RAISED])
    assert world.case(incident).incident.status is IncidentStatus.ESCALATED


def test_a_change_that_somebody_took_back_proves_nothing():
    world = World()
    world.throttled = lambda: 0.0

    class TakenBack(Respond):
        def _enter(self, state: dict[str, Any]) -> str | None:
            if self.visited[-1] == "Judge the outcome":
                somebody_sets(world, 10)
            return super()._enter(state)

    incident = world.receive()
    respond = TakenBack(world)
    respond.run(incident)

    case = world.case(incident)
    assert case.incident.status is IncidentStatus.ESCALATED
    assert "the change is not in force" in str(case.incident.outcome)
    assert respond.visited.count("Judge the outcome") == 1  # people learn of it at once


# -- changes that take several calls


def autoscaled() -> World:
    """Both directions are starved, and both stand at their maximum."""
    world = World()
    world.autoscaling.targets[TABLE] = {d: ScalingTarget(minimum=5, maximum=10) for d in ("read", "write")}
    starved = Usage(consumed_peak=10.0, demand_peak=14.0, throttles=Throttles(provisioned=60.0))
    world.dynamodb.used[TABLE] = {"read": starved, "write": starved}
    world.throttled = lambda: 0.0
    return world


def maxima(world: World) -> dict[str, int]:
    return {d: t.maximum for d, t in world.autoscaling.targets[TABLE].items()}


class Scaling:
    def __init__(self, world: World, hook: Any) -> None:
        self._inner, self._hook = world.scaling, hook
        self.count = 0

    def describe(self, table: str) -> Any:
        return self._inner.describe(table)

    def set_maximum(self, table: str, direction: str, maximum: int) -> None:
        self.count += 1
        self._hook(self.count)
        self._inner.set_maximum(table, direction, maximum)


def at_call(number: int, error: BaseException) -> Any:
    def hook(count: int) -> None:
        if count == number:
            raise error

    return hook


def test_a_crash_between_two_calls_of_a_change_is_completed():
    world = autoscaled()
    world.scaling = Scaling(world, at_call(2, CrashedError("died between the two")))

    _, incident = play(world)

    assert maxima(world) == {"read": 20, "write": 20}
    assert world.case(incident).incident.status is IncidentStatus.RESOLVED
    assert [a.status for a in world.case(incident).attempts] == [AttemptStatus.VERIFIED]


def test_a_half_made_change_is_taken_back_where_a_gate_now_says_stop():
    world = autoscaled()

    def dies_and_is_switched_off(count: int) -> None:
        if count == 2:
            world.board.switches = Switches(kill_switch=True)
            raise CrashedError("died between the two")

    world.scaling = Scaling(world, dies_and_is_switched_off)

    respond, incident = play(world)

    assert maxima(world) == {"read": 10, "write": 10}
    assert "Undo the action" in respond.visited
    case = world.case(incident)
    assert case.attempts[0].status is AttemptStatus.UNDONE
    assert case.incident.status is IncidentStatus.ESCALATED


def test_a_half_made_change_is_taken_back_where_aws_refuses_the_rest():
    world = autoscaled()
    world.scaling = Scaling(world, at_call(2, RefusedError("ValidationException")))

    _, incident = play(world)

    assert maxima(world) == {"read": 10, "write": 10}
    assert world.case(incident).attempts[0].status is AttemptStatus.UNDONE


# -- the lease


def test_a_lease_lost_to_another_closes_the_incident_untouched():
    world = World()

    class Taken:
        def __getattr__(self, method: str) -> Any:
            if method == "acquire":
                raise ConflictError("orders is held by inc-other")
            return getattr(world.memory_leases, method)

    world.leases = Taken()

    _, incident = play(world)

    case = world.case(incident)
    assert case.incident.status is IncidentStatus.HELD
    assert case.incident.outcome == "another incident was faster: orders is held by inc-other"
    assert case.attempts[0].status is AttemptStatus.REFUSED
    assert world.dynamodb.changes == []


def test_a_stale_fencing_token_cannot_act():
    """The lease ran out and another took it between our acquiring it and our noting the intent."""
    world = World()

    class Overtaken:
        def __getattr__(self, method: str) -> Any:
            if method != "acquire":
                return getattr(world.memory_leases, method)

            def acquire(target: str, owner: str, until: Any, now: Any) -> int:
                fence = world.memory_leases.acquire(target, owner, now, now)  # over at once
                world.memory_leases.acquire(target, "inc-other", now + timedelta(hours=1), now)
                return fence

            return acquire

    world.leases = Overtaken()

    _, incident = play(world)

    assert world.case(incident).incident.status is IncidentStatus.HELD
    assert world.dynamodb.changes == []
    assert world.memory_leases.holder(TABLE, world.clock.now()) == "inc-other"
