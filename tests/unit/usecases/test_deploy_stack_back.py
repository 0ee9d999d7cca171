"""Releases with a template that go back: by CloudFormation itself, by a change set, after a crash at every call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from selfright.domain.errors import BusyError, RefusedError
from selfright.domain.release import Milestone, ReleaseStatus, StopReason
from tests.unit.usecases.release_world import CHECKOUT, ReleaseWorld, manifest
from tests.unit.usecases.respond import CrashedError
from tests.unit.usecases.stack_releases import ALL_NEW, BACK, FORWARD, QUEUE, as_before, release, template


def test_a_resource_that_cannot_be_made_is_taken_back_by_cloudformation_itself():
    world = ReleaseWorld()
    world.cloudformation.broken = {"Letters"}

    ended = release(world, template(Letters=QUEUE))

    assert (ended.status, ended.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.STACK_NOT_CHANGED)
    assert "Letters CREATE_FAILED: it is broken" in ended.why
    assert world.cloudformation.done == [FORWARD]
    assert as_before(world)
    assert world.awslambda.changes == []
    assert world.free()


def test_a_later_step_that_fails_takes_the_stack_back_by_a_change_set():
    world = ReleaseWorld()
    world.failing = {CHECKOUT: {"2": 0.3}}

    ended = release(world, template(Letters=QUEUE))

    assert (ended.status, ended.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.WORSE_THAN_BEFORE)
    assert world.cloudformation.done == [FORWARD, BACK]
    assert as_before(world)
    assert world.free()


def test_a_roll_back_that_got_stuck_is_let_go_on():
    world = ReleaseWorld()
    world.cloudformation.broken = {"Letters"}
    world.cloudformation.wedged = {"Late"}
    before = world.pass_time

    def somebody_mends_it(seconds: float) -> None:
        before(seconds)
        if "continued" in world.cloudformation.done:
            world.cloudformation.wedged = set()

    world.pass_time = somebody_mends_it  # type: ignore[method-assign]

    assert release(world, template(Letters=QUEUE)).status is ReleaseStatus.ROLLED_BACK
    assert world.cloudformation.done == [FORWARD, "continued"]


def test_one_that_stays_stuck_needs_people_and_says_what_they_can_do():
    world = ReleaseWorld()
    world.cloudformation.broken = {"Letters"}
    world.cloudformation.wedged = {"Late"}

    ended = release(world, template(Letters=QUEUE))

    assert ended.status is ReleaseStatus.ROLLBACK_FAILED
    assert world.cloudformation.done == [FORWARD, "continued", "continued"]
    closed = next(line for line in world.ledger.file("shop-42").log if line.milestone is Milestone.CLOSED)
    assert "deploy unstick --skip" in closed.text
    assert world.free()


def while_it_bakes(world: ReleaseWorld, happens: Any) -> None:
    """Something happens once the new versions have all requests, and they turn out bad."""
    before, happened = world.pass_time, []

    def pass_time(seconds: float) -> None:
        before(seconds)
        if not happened and world.awslambda.versions_live() == ALL_NEW:
            happened.append(True)
            happens()
            world.failing = {CHECKOUT: {"2": 0.5}}

    world.pass_time = pass_time  # type: ignore[method-assign]


def test_a_stack_that_somebody_else_changed_meanwhile_is_left_alone():
    world = ReleaseWorld()
    theirs = template(Letters=QUEUE, More=QUEUE)
    while_it_bakes(world, lambda: world.cloudformation.somebody_updates(theirs))

    ended = release(world, template(Letters=QUEUE))

    assert ended.status is ReleaseStatus.ROLLBACK_FAILED
    assert json.loads(world.cloudformation.body) == theirs
    assert world.untouched()


def test_a_stack_that_was_deleted_meanwhile_needs_people():
    world = ReleaseWorld()
    while_it_bakes(world, lambda: setattr(world.cloudformation, "gone", True))

    assert release(world, template(Letters=QUEUE)).status is ReleaseStatus.ROLLBACK_FAILED
    assert world.untouched()


def test_a_completed_release_is_taken_back_unless_that_loses_what_was_written_since():
    note = {"Type": "AWS::SSM::Parameter", "Properties": {}}
    for added, status in ((note, ReleaseStatus.ROLLED_BACK), (QUEUE, ReleaseStatus.ROLLBACK_FAILED)):
        world = ReleaseWorld()
        assert release(world, template(Added=added)).status is ReleaseStatus.COMPLETED

        world.play("roll_back", release_id="shop-42", reason="slow", actor="grace")

        assert world.ledger.release("shop-42").status is status
        assert as_before(world) == (status is ReleaseStatus.ROLLED_BACK)


def test_an_update_of_somebody_else_between_change_set_and_execution_stops_it():
    world = ReleaseWorld()
    before = world.cloudformation.template

    def template_is_read(stack: str, change_set: str | None = None) -> str:
        if change_set:
            world.cloudformation.status, world.cloudformation._looks = "UPDATE_IN_PROGRESS", 99
        return before(stack, change_set)

    world.cloudformation.template = template_is_read  # type: ignore[method-assign]

    ended = release(world, template(Letters=QUEUE))

    assert ended.stop is StopReason.STACK_NOT_CHANGED
    assert "another update is under way" in ended.why
    assert world.cloudformation.done == []


# -- crashes: once per call


def prepared(good: bool) -> ReleaseWorld:
    world = ReleaseWorld(manifest(look_seconds=600))
    world.failing = {} if good else {CHECKOUT: {"2": 0.3}}
    return world


def calls_of(good: bool) -> list[tuple[int, str]]:
    """Of the rooms that this file is about, and of the ledger in between."""
    world = prepared(good)
    release(world, template(Letters=QUEUE))
    ours = [n for n, call in enumerate(world.fuse.calls) if call.startswith(("stacks.", "templates."))]
    near = {n + step for n in ours for step in (-1, 0, 1)}
    return [(n, call) for n, call in enumerate(world.fuse.calls) if n in near]


@pytest.mark.parametrize("good", [True, False], ids=["forward", "and-back"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    "error",
    [CrashedError("out of time"), BusyError("busy")],
    ids=lambda e: type(e).__name__,
)
def test_a_room_that_dies_or_gets_no_answer_is_repeated_without_harm(
    error: BaseException, before: bool, good: bool
):
    for at, call in calls_of(good):
        world = prepared(good)
        world.fuse.blow(at, before=before, error=error)

        ended = release(world, template(Letters=QUEUE))

        where = f"{at} {call}: {ended.stop} {ended.why}"
        wanted = ReleaseStatus.COMPLETED if good else ReleaseStatus.ROLLED_BACK
        assert ended.status is wanted, where
        assert world.cloudformation.done == ([FORWARD] if good else [FORWARD, BACK]), where
        assert good or as_before(world), where
        assert world.free(), where


@pytest.mark.parametrize("good", [True, False], ids=["forward", "and-back"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_what_is_refused_ends_whole_or_with_people(before: bool, good: bool):
    for at, call in calls_of(good):
        world = prepared(good)
        world.fuse.blow(at, before=before, error=RefusedError("not allowed"))

        ended = release(world, template(Letters=QUEUE))

        match ended.status:
            case ReleaseStatus.COMPLETED:
                assert good, f"{at} {call}"
            case ReleaseStatus.ROLLED_BACK | ReleaseStatus.REFUSED:
                assert as_before(world), f"{at} {call}: {ended.why}"
            case status:
                assert status is ReleaseStatus.ROLLBACK_FAILED, f"{at} {call}: {status}"
                assert world.channels.to("topic"), f"{at} {call}"
        assert world.free(), f"{at} {call}"
