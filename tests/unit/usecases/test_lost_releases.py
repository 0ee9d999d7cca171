"""What the sweep does about releases whose execution is gone: taken back, or closed with people told; no lock stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.errors import BusyError, SourceDownError
from selfright.domain.release import ReleaseStatus, StopReason
from selfright.domain.release.probing import HealthRecord
from selfright.domain.release.steps import SWEEP, RollBackStep
from selfright.usecases.close_release import close_release
from selfright.usecases.lost_releases import GRACE
from selfright.usecases.roll_back_release import roll_back_release
from selfright.usecases.sweep import SweepReport, sweep
from selfright.usecases.unstick_aliases import HELD_FOR as UNSTICKING
from tests.fakes import Down, MemoryStore, RecordingMessenger, RecordingWorkflows
from tests.unit.usecases.release_world import LOCK, ReleaseWorld

OVERDUE = GRACE.total_seconds() + 1


class LostError(BaseException):
    """Somebody stops the execution."""


@pytest.fixture
def world() -> ReleaseWorld:
    """A release whose execution was stopped after its first shift, and that is old enough to be looked at."""
    world = ReleaseWorld()
    world.ask()

    def stopped(_seconds: float) -> None:
        if world.awslambda.weights_left():
            raise LostError

    world.pass_time = stopped  # type: ignore[method-assign]
    with pytest.raises(LostError):
        world.play("deploy", release_id="shop-42")
    del world.pass_time  # type: ignore[method-assign]
    world.deployments.statuses["shop-42"] = "ABORTED"
    world.clock.advance(OVERDUE)
    return world


def swept(world: ReleaseWorld, messenger: Any = None, **instead: Any) -> SweepReport:
    ports = {"releases": world.releases, "leases": world.leases, "deployments": world.deployments}
    incidents = MemoryStore(world.memory_leases)
    return sweep(
        workloads=[world.workload],
        store=incidents,
        history=incidents,
        alarms=world.cloudwatch,
        workflows=RecordingWorkflows(),
        messenger=messenger or RecordingMessenger(),
        clock=world.clock,
        **{**ports, **instead},
    )


def taken_back(world: ReleaseWorld) -> None:
    """Play the execution that the sweep has started."""
    reason = world.deployments.taken_back["shop-42"]
    world.play("roll_back", release_id="shop-42", reason=reason, actor=SWEEP, cause=StopReason.EXECUTION_LOST)


def test_a_release_whose_execution_was_stopped_is_taken_back_once(world: ReleaseWorld):
    assert world.awslambda.weights_left() == 3

    assert swept(world).taking_back == ("shop-42",)
    assert swept(world).taking_back == ()
    taken_back(world)

    release = world.ledger.release("shop-42")
    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.EXECUTION_LOST)
    assert release.why == "the sweep: its execution is ABORTED"
    assert world.untouched()
    assert world.free()
    assert world.channels.to("topic")


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_what_somebody_works_on_is_left_alone(world: ReleaseWorld, status: str):
    world.deployments.statuses["shop-42"] = status

    assert swept(world) == SweepReport()


def test_so_is_what_was_only_just_asked_for(world: ReleaseWorld):
    world.clock.advance(-2)

    assert swept(world).taking_back == ()


def test_a_request_that_was_never_started_ends_refused():
    world = ReleaseWorld()
    world.ask()
    world.deployments.statuses.clear()
    world.clock.advance(OVERDUE)

    assert swept(world).taking_back == ("shop-42",)
    taken_back(world)

    release = world.ledger.release("shop-42")
    assert (release.status, release.why) == (
        ReleaseStatus.REFUSED,
        "the sweep: its execution was never started",
    )
    assert world.free()


def test_where_taking_it_back_fails_too_people_are_told_and_the_next_one_may_come(world: ReleaseWorld):
    swept(world)
    world.deployments.taking["shop-42"] = "FAILED"
    messenger = RecordingMessenger()

    assert swept(world, messenger).given_up == ("shop-42",)

    release = world.ledger.release("shop-42")
    assert (release.status, release.why) == (ReleaseStatus.ROLLBACK_FAILED, "its roll-back is FAILED")
    (line,) = messenger.told_of
    assert "people are needed" in line.text
    assert world.ledger.file("shop-42").log[-1] == line
    assert world.free()
    assert swept(world, messenger).given_up == ()


def test_so_are_they_where_nobody_could_say_that_all_of_it_is_back(world: ReleaseWorld):
    swept(world)
    put_back(world)
    world.deployments.taking["shop-42"] = "FAILED"

    assert swept(world).given_up == ("shop-42",)

    release = world.ledger.release("shop-42")
    assert release.status is ReleaseStatus.ROLLBACK_FAILED
    assert "after its functions were put back" in world.ledger.file("shop-42").log[-1].text
    assert world.untouched()
    assert world.free()


def test_it_stays_open_for_the_next_sweep_where_people_cannot_be_told(world: ReleaseWorld):
    swept(world)
    world.deployments.taking["shop-42"] = "TIMED_OUT"

    with pytest.raises(SourceDownError):
        swept(world, Down())

    assert world.ledger.release("shop-42").status is ReleaseStatus.RUNNING
    assert swept(world).given_up == ("shop-42",)


def test_a_lock_that_a_finished_release_could_not_give_back_is_given_back(world: ReleaseWorld):
    world = ReleaseWorld()
    world.deploy()
    now = world.clock.now()
    world.memory_leases.acquire(LOCK, "shop-42", now + timedelta(hours=1), now)
    assert swept(world).freed == ()  # only just taken: somebody may be about to take the release back

    world.clock.advance(OVERDUE)

    assert swept(world).freed == (LOCK,)
    assert world.free()


def test_the_lock_of_a_release_on_its_way_and_of_a_person_stay(world: ReleaseWorld):
    assert swept(world).freed == ()
    assert not world.free()

    world.memory_leases.release(LOCK, "shop-42")
    now = world.clock.now()
    world.memory_leases.acquire(LOCK, "unstick-grace", now + UNSTICKING, now)

    assert swept(world).freed == ()
    assert not world.free()


def put_back(world: ReleaseWorld) -> None:
    """The room that does it, without the others of its execution."""
    roll_back_release(
        RollBackStep(release_id="shop-42", reason="wrong branch", actor="grace"),
        releases=world.releases,
        leases=world.leases,
        functions=world.functions,
        versions=world.versions,
        state_machines=world.state_machines,
        clock=world.clock,
    )


def test_two_executions_that_put_the_same_release_back_do_not_call_people(world: ReleaseWorld):
    def close() -> ReleaseStatus:
        return close_release(
            "shop-42",
            releases=world.releases,
            leases=world.leases,
            functions=world.functions,
            configurations=world.configurations,
            state_machines=world.state_machines,
            measure=lambda *_: None,
            clock=world.clock,
        ).status

    put_back(world)
    half_way = world.ledger.release("shop-42").but(restored_at=None)
    world.ledger.save(half_way)  # the other one has just begun

    with pytest.raises(BusyError):
        close()
    put_back(world)
    back = world.ledger.release("shop-42")
    world.ledger.save(back.but(health=HealthRecord(after=())))  # asked, and nothing is unhealthy
    assert close() is ReleaseStatus.ROLLED_BACK
