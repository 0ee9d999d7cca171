"""State machines as a part of a release, played through deploy.asl.json and roll_back.asl.json."""

from __future__ import annotations

import json
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.errors import BusyError, RefusedError
from selfright.domain.release import Milestone, ReleaseStatus, StopReason
from selfright.domain.serving import AliasState
from tests.unit.usecases.release_world import CHECKOUT, PACKING, ReleaseWorld, manifest
from tests.unit.usecases.respond import CrashedError

DEFINITION = json.dumps({"StartAt": "Pack", "States": {"Pack": {"Type": "Succeed"}}})
ARTIFACT = {"bucket": "shop-artifacts", "key": "checkout.zip", "sha256": "2" * 64}
LINEAR = {"type": "linear", "percent": 40, "every_seconds": 600}


def asked(world: ReleaseWorld, definition: str = DEFINITION, **more: Any) -> dict[str, Any]:
    return {"workflows": {"packing": world.bucket.put("packing.asl.json", definition.encode())}, **more}


def test_its_alias_goes_the_functions_way_step_by_step():
    world = ReleaseWorld()
    world.requests = 60

    file = world.deploy(**asked(world, artifacts={"checkout": ARTIFACT}, strategy=LINEAR))

    assert (file.release.status, file.release.why) == (ReleaseStatus.COMPLETED, "")
    assert world.machines.changes == [
        (PACKING, "1", {"2": 0.4}),
        (PACKING, "1", {"2": 0.8}),
        (PACKING, "2", {}),
    ]
    assert world.machines.versions[PACKING][-1] == DEFINITION
    shifts = [weights.get("2", 1.0) for name, _, weights in world.awslambda.changes if name == CHECKOUT]
    assert shifts == [0.4, 0.8, 1.0]
    closed = next(line for line in file.log if line.milestone is Milestone.CLOSED)
    assert closed.text == "completed: checkout is at version 2, packing is at version 2"


def test_alone_it_is_judged_by_the_service_level_of_what_it_may_harm():
    world = ReleaseWorld()

    file = world.deploy(**asked(world))

    assert file.release.status is ReleaseStatus.COMPLETED
    assert world.awslambda.changes == []
    judged = [line.detail for line in file.log if line.milestone is Milestone.JUDGED]
    assert [(line["control"], line["verdict"]) for line in judged] == [("service level", "PASS")] * 2


def test_alone_it_goes_back_where_requests_fail():
    world = ReleaseWorld()
    world.failing = {CHECKOUT: {"1": 0.3}}

    release = world.deploy(**asked(world)).release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.WORSE_THAN_BEFORE)
    assert world.untouched()
    assert world.machines.changes[-1] == (PACKING, "1", {})


def test_alone_it_goes_back_where_an_alarm_goes_off():
    world = ReleaseWorld()
    before = world.pass_time

    def then_the_alarm(seconds: float) -> None:
        before(seconds)
        world.alarm(State.ALARM)

    world.pass_time = then_the_alarm  # type: ignore[method-assign]

    assert world.deploy(**asked(world)).release.stop is StopReason.ALARM_WENT_OFF
    assert world.untouched()


@pytest.mark.parametrize(("percent", "share"), [(0.4, 0.01), (12.5, 0.12), (99.7, 0.99)])
def test_step_functions_takes_whole_percent_and_both_versions_keep_one(percent: float, share: float):
    world = ReleaseWorld(manifest(look_seconds=600))
    strategy = {"type": "canary", "percent": percent, "for_seconds": 600}

    world.deploy(**asked(world, strategy=strategy))

    assert world.machines.changes[0] == (PACKING, "1", {"2": share})


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        ("StartAt: Pack", "packing: is not JSON"),
        ("[]", "packing: is no definition"),
        ('{"States": {}}', "lacks StartAt or States"),
        (" " * (2**20 + 1), "more than 1048576"),
    ],
)
def test_a_text_that_is_no_definition_is_refused_before_anything_is_changed(definition: str, why: str):
    world = ReleaseWorld()

    release = world.deploy(**asked(world, definition)).release

    assert (release.status, release.stop) == (ReleaseStatus.REFUSED, StopReason.DEFINITION_INVALID)
    assert why in release.why
    assert world.machines.versions[PACKING] == ["{}"]


def test_a_definition_that_step_functions_does_not_take_is_refused():
    world = ReleaseWorld()
    definition = json.dumps({"StartAt": "nowhere", "States": {}})

    release = world.deploy(**asked(world, definition)).release

    assert (release.status, release.stop) == (ReleaseStatus.REFUSED, StopReason.STEP_FAILED)
    assert "MISSING_TRANSITION_TARGET" in release.why
    assert world.untouched()


def test_weights_that_somebody_left_refuse_a_release():
    world = ReleaseWorld()
    world.machines.aliases[PACKING] = AliasState(version="1", weights={"2": 0.5}, revision="r7")

    assert world.deploy(**asked(world)).release.stop is StopReason.WEIGHTS_LEFT


def test_an_alias_that_somebody_else_moved_is_left_alone_and_the_rest_goes_back():
    world = ReleaseWorld()
    before = world.pass_time

    def somebody_moves_it(seconds: float) -> None:
        before(seconds)
        if world.machines.aliases[PACKING].weights:
            world.machines.aliases[PACKING] = AliasState(version="9", revision="r9")

    world.pass_time = somebody_moves_it  # type: ignore[method-assign]

    release = world.deploy(**asked(world, artifacts={"checkout": ARTIFACT})).release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLBACK_FAILED, StopReason.ALIAS_MOVED)
    assert world.machines.aliases[PACKING].version == "9"
    assert set(world.awslambda.versions_live().values()) == {"1"}


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
@pytest.mark.parametrize(
    "error",
    [CrashedError("out of time"), BusyError("being changed"), RefusedError("not allowed")],
    ids=lambda e: type(e).__name__,
)
def test_whatever_call_of_a_state_machine_goes_wrong_the_set_stays_one(
    error: BaseException, good: bool, before: bool
):
    def prepared() -> tuple[ReleaseWorld, dict[str, Any]]:
        world = ReleaseWorld(manifest(look_seconds=600))
        world.failing = {} if good else {CHECKOUT: {"2": 0.3}}
        return world, asked(world, artifacts={"checkout": ARTIFACT})

    world, request = prepared()
    world.deploy(**request)
    calls = [
        at for at, call in enumerate(world.fuse.calls) if call.startswith(("state_machines.", "artifacts."))
    ]
    assert len(calls) > 5
    for at in calls:
        world, request = prepared()
        world.fuse.blow(at, before=before, error=error)
        status = world.deploy(**request).release.status
        live = (world.awslambda.versions_live()[CHECKOUT], world.machines.aliases[PACKING].version)
        match status:
            case ReleaseStatus.COMPLETED:
                assert (good, live) == (True, ("2", "2")), at
            case ReleaseStatus.ROLLED_BACK | ReleaseStatus.REFUSED:
                assert world.untouched(), at
            case _:  # a refusal on the way back is for people
                assert isinstance(error, RefusedError), at
        if good and not isinstance(error, RefusedError):
            assert status is ReleaseStatus.COMPLETED, at
        assert world.free(), at
