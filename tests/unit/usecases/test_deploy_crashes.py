"""Whatever call a room of `deploy` dies at, or fails at, the release is completed or put back: never a mixed set.

The whole release is played once per call that it makes to a port.
"""

from __future__ import annotations

import pytest

from selfright.domain.errors import BusyError, RefusedError, SourceDownError, ThrottledError
from selfright.domain.release import ReleaseStatus
from tests.unit.usecases.release_world import CART, CHECKOUT, STOCK, ReleaseWorld, manifest
from tests.unit.usecases.respond import CrashedError

ALL_NEW = {CART: "2", STOCK: "2", CHECKOUT: "2"}


def prepared(*, good: bool) -> ReleaseWorld:
    world = ReleaseWorld(manifest(look_seconds=600))  # few looks: each call is another play
    world.failing = {} if good else {CHECKOUT: {"2": 0.3}}
    return world


def calls_of(*, good: bool) -> list[str]:
    world = prepared(good=good)
    world.deploy()
    return list(world.fuse.calls)


def broken(at: int, *, good: bool, before: bool, error: BaseException) -> tuple[ReleaseWorld, ReleaseStatus]:
    """The world after a release in which call number `at` went wrong."""
    world = prepared(good=good)
    world.fuse.blow(at, before=before, error=error)
    return world, world.deploy().release.status


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    "error",
    [
        CrashedError("out of time"),
        SourceDownError("no answer"),
        ThrottledError("slow down"),
        BusyError("being changed"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_a_step_that_dies_or_gets_no_answer_is_repeated_without_harm(error: BaseException, before: bool):
    for at, call in enumerate(calls_of(good=True)):
        world, status = broken(at, good=True, before=before, error=error)

        assert (status, world.awslambda.versions_live()) == (ReleaseStatus.COMPLETED, ALL_NEW), f"{at} {call}"
        assert world.awslambda.weights_left() == 0, f"{at} {call}"
        assert world.free(), f"{at} {call}"


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    "error", [CrashedError("out of time"), SourceDownError("no answer")], ids=lambda e: type(e).__name__
)
def test_so_is_a_step_on_the_way_back(error: BaseException, before: bool):
    for at, call in enumerate(calls_of(good=False)):
        world, status = broken(at, good=False, before=before, error=error)

        assert status is ReleaseStatus.ROLLED_BACK, f"{at} {call}"
        assert world.untouched(), f"{at} {call}"
        assert world.free(), f"{at} {call}"


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
def test_what_aws_refuses_ends_in_one_set_or_with_people(good: bool, before: bool):
    """A refusal is not repeated: one on the way back is for people, and says so."""
    for at, call in enumerate(calls_of(good=good)):
        world, status = broken(at, good=good, before=before, error=RefusedError("not allowed"))

        live, weights = world.awslambda.versions_live(), world.awslambda.weights_left()
        match status:
            case ReleaseStatus.COMPLETED:
                assert (live, weights) == (ALL_NEW, 0), f"{at} {call}"
            case ReleaseStatus.ROLLED_BACK | ReleaseStatus.REFUSED:
                assert world.untouched(), f"{at} {call}"
            case ReleaseStatus.ROLLBACK_FAILED:
                assert not good, f"{at} {call}"
                assert world.channels.to("topic"), f"{at} {call}"
            case _:
                raise AssertionError(f"{at} {call}: {status}")
        assert world.free(), f"{at} {call}"
