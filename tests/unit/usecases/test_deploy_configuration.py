"""Configuration as a part of a release, played through deploy.asl.json and roll_back.asl.json."""

from __future__ import annotations

import json
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.errors import BadInputError, BusyError, RefusedError, ThrottledError
from selfright.domain.release import Milestone, ReleaseStatus, StopReason
from selfright.domain.release.configuration import ProfileKind
from tests.unit.usecases.release_world import CART, CHECKOUT, STOCK, ReleaseWorld, manifest
from tests.unit.usecases.respond import CrashedError

ALL_NEW = {CART: "2", STOCK: "2", CHECKOUT: "2"}
ARTIFACT = {"bucket": "shop-artifacts", "key": "checkout.zip", "sha256": "2" * 64}


def asked(world: ReleaseWorld, content: bytes = b'{"most": 5}', **more: Any) -> dict[str, Any]:
    return {"configurations": {"limits": world.bucket.put("limits.json", content)}, **more}


def test_a_configuration_alone_is_proven_by_the_requests_that_it_serves():
    world = ReleaseWorld()

    file = world.deploy(**asked(world))

    assert (file.release.status, file.release.why) == (ReleaseStatus.COMPLETED, "")
    assert world.appconfig.live("limits") == "2"
    assert world.appconfig.versions["limits"][-1] == ("shop-42", b'{"most": 5}')
    assert world.awslambda.changes == []
    verdicts = [line.detail for line in file.log if line.milestone is Milestone.JUDGED]
    assert [v["verdict"] for v in verdicts] == ["PASS"]
    assert verdicts[0]["rulings"]["checkout"]["canary"]["invocations"] > 0
    closed = next(line for line in file.log if line.milestone is Milestone.CLOSED)
    assert closed.text == "completed: limits is at version 2"
    assert world.free()


def test_with_code_it_is_live_before_the_first_request_is_shifted():
    world = ReleaseWorld()
    world.appconfig.looks = 3

    file = world.deploy(**asked(world, artifacts={"checkout": ARTIFACT}))

    assert file.release.status is ReleaseStatus.COMPLETED
    assert world.awslambda.versions_live() == {CART: "1", STOCK: "1", CHECKOUT: "2"}
    milestones = [line.milestone for line in file.log]
    assert milestones.index(Milestone.CONFIGURED) < milestones.index(Milestone.SHIFTED)


def test_two_go_one_after_the_other_as_an_environment_takes_one_at_a_time():
    world = ReleaseWorld()
    world.appconfig.looks = 2
    both = {key: world.bucket.put(f"{key}.json", b"{}") for key in ("limits", "texts")}

    file = world.deploy(configurations=both)

    assert file.release.status is ReleaseStatus.COMPLETED
    assert [(d.name, d.version) for d in world.appconfig.deployments[2:]] == [("limits", "2"), ("texts", "2")]


def test_it_goes_by_the_manifests_strategy_and_back_at_once():
    place = {"application": "shop", "environment": "development", "profile": "limits", "strategy": "slowly"}
    world = ReleaseWorld(manifest(configurations={"limits": place}))
    world.failing = {CHECKOUT: {"1": 0.5}}

    file = world.deploy(**asked(world))

    assert file.release.status is ReleaseStatus.ROLLED_BACK
    assert [d.strategy for d in world.appconfig.deployments[2:]] == ["slowly", None]


def test_one_that_makes_requests_fail_goes_back():
    world = ReleaseWorld()
    world.failing = {CHECKOUT: {"1": 0.3}}

    release = world.deploy(**asked(world)).release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.WORSE_THAN_BEFORE)
    assert world.untouched()
    assert release.restored_at is not None
    assert world.free()


def test_it_goes_back_with_the_code():
    world = ReleaseWorld()
    world.failing = {CHECKOUT: {"2": 0.3}}

    file = world.deploy(**asked(world, artifacts={"checkout": ARTIFACT}))

    assert file.release.status is ReleaseStatus.ROLLED_BACK
    assert world.untouched()
    restored = [line.text for line in file.log if line.milestone is Milestone.RESTORED]
    assert restored == ["put back: checkout → 1", "put back: limits → version 1"]


def test_an_alarm_while_it_is_deployed_stops_the_deployment():
    world = ReleaseWorld()
    world.appconfig.looks = 20
    before = world.pass_time

    def then_the_alarm(seconds: float) -> None:
        before(seconds)
        world.alarm(State.ALARM)

    world.pass_time = then_the_alarm  # type: ignore[method-assign]

    release = world.deploy(**asked(world)).release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.ALARM_WENT_OFF)
    assert world.appconfig.deployments[2].state == "ROLLED_BACK"
    assert world.untouched()


def test_one_that_appconfig_rolls_back_takes_the_release_back():
    world = ReleaseWorld()
    world.appconfig.looks, world.appconfig.ends = 1, "ROLLED_BACK"

    def then_it_works_again(seconds: float, before: Any = world.pass_time) -> None:
        before(seconds)
        world.appconfig.ends = "COMPLETE"

    world.pass_time = then_it_works_again  # type: ignore[method-assign]

    release = world.deploy(**asked(world)).release

    assert (release.status, release.stop) == (
        ReleaseStatus.ROLLED_BACK,
        StopReason.CONFIGURATION_TAKEN_BACK,
    )
    assert world.untouched()


def test_one_that_appconfig_does_not_take_takes_the_release_back():
    world = ReleaseWorld()
    world.appconfig.refusing = "2"

    release = world.deploy(**asked(world)).release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.STEP_FAILED)
    assert "the configuration is not valid" in release.why
    assert world.untouched()


def test_one_that_never_gets_live_is_not_waited_for_for_ever():
    world = ReleaseWorld()
    world.appconfig.looks = 10_000
    before = world.pass_time
    world.pass_time = lambda seconds: before(seconds * 60)  # type: ignore[method-assign]

    release = world.deploy(**asked(world)).release

    assert (release.status, release.why) == (ReleaseStatus.ROLLED_BACK, "limits: not live within 2:00:00")
    assert world.untouched()


# -- refused


@pytest.mark.parametrize(
    ("content", "kind", "problem"),
    [
        (b"most: 5", ProfileKind.FREEFORM, "limits: is not JSON"),
        (b"[5]", ProfileKind.FREEFORM, "limits: is not a JSON object"),
        (b" " * (2 * 2**20 + 1), ProfileKind.FREEFORM, "more than 2097152"),
        (b'{"most": true}', ProfileKind.FLAGS, 'limits: must have "version": "1"'),
        (b'{"version": "1", "flags": {}}', ProfileKind.FLAGS, "objects `flags` and `values`"),
        (b'{"version": "1", "flags": {}, "values": {"a": {}}}', ProfileKind.FLAGS, "does not define: a"),
        (
            b'{"version": "1", "flags": {"a": {}}, "values": {"a": {"enabled": "yes"}}}',
            ProfileKind.FLAGS,
            "values.a must be",
        ),
        (
            b'{"version": "1", "flags": {"a": {}}, "values": {"a": {"_variants": [{"name": "b"}]}}}',
            ProfileKind.FLAGS,
            "or have such _variants",
        ),
    ],
)
def test_content_that_is_no_configuration_is_refused_before_anything_is_changed(
    content: bytes, kind: ProfileKind, problem: str
):
    world = ReleaseWorld()
    world.appconfig.kind = kind

    release = world.deploy(**asked(world, content)).release

    assert (release.status, release.stop) == (ReleaseStatus.REFUSED, StopReason.CONFIGURATION_INVALID)
    assert problem in release.why
    assert len(world.appconfig.deployments) == 2
    assert world.free()


def test_flags_in_their_format_go_live():
    world = ReleaseWorld()
    world.appconfig.kind = ProfileKind.FLAGS
    split = {"_variants": [{"enabled": True, "name": "some", "rule": "(eq $x 1)"}, {"enabled": False}]}
    flags = {
        "version": "1",
        "flags": {"a": {"name": "a"}, "b": {"name": "b"}},
        "values": {"a": {"enabled": True}, "b": split},
    }

    assert world.deploy(**asked(world, json.dumps(flags).encode())).release.status is ReleaseStatus.COMPLETED


def test_a_file_that_is_not_what_was_asked_for_is_refused():
    world = ReleaseWorld()
    artifact = {**world.bucket.put("limits.json", b"{}"), "sha256": "0" * 64}

    release = world.deploy(configurations={"limits": artifact}).release

    assert (release.status, release.stop) == (ReleaseStatus.REFUSED, StopReason.CONFIGURATION_INVALID)
    assert "is not the file that was asked for" in release.why


def test_without_a_version_to_go_back_to_nothing_is_released():
    world = ReleaseWorld()
    world.appconfig.deployments.clear()

    release = world.deploy(**asked(world)).release

    assert (release.status, release.stop) == (ReleaseStatus.REFUSED, StopReason.CONFIGURATION_INVALID)
    assert world.appconfig.deployments == []


def test_somebody_elses_deployment_under_way_refuses_the_release():
    world = ReleaseWorld()
    world.appconfig.somebody_deploys("texts", "1", looks=50)

    release = world.deploy(**asked(world)).release

    assert (release.status, release.stop) == (ReleaseStatus.REFUSED, StopReason.CONFIGURATION_BUSY)


def test_a_configuration_that_the_manifest_does_not_name_is_bad_input():
    world = ReleaseWorld()

    with pytest.raises(BadInputError, match=r"configurations.prices: must name one of .* \(limits, texts\)"):
        world.ask(configurations={"prices": ARTIFACT})


# -- somebody else


def test_a_version_that_somebody_else_put_live_is_left_alone_and_the_rest_goes_back():
    world = ReleaseWorld()
    both = {key: world.bucket.put(f"{key}.json", b"{}") for key in ("limits", "texts")}

    before = world.pass_time

    def pass_time(seconds: float) -> None:
        before(seconds)
        if world.appconfig.live("texts") == "2" and world.appconfig.live("limits") == "2":
            world.appconfig.somebody_deploys("limits", "7")

    world.pass_time = pass_time  # type: ignore[method-assign]

    release = world.deploy(configurations=both, artifacts={"checkout": ARTIFACT}).release

    assert (release.status, release.stop) == (
        ReleaseStatus.ROLLBACK_FAILED,
        StopReason.CONFIGURATION_MOVED,
    )
    assert (world.appconfig.live("limits"), world.appconfig.live("texts")) == ("7", "1")
    assert set(world.awslambda.versions_live().values()) == {"1"}
    assert world.free()


def test_an_alias_that_cannot_be_put_back_does_not_keep_the_configuration_from_it():
    world = ReleaseWorld()

    before = world.pass_time

    def pass_time(seconds: float) -> None:
        before(seconds)
        checkout = world.awslambda.functions[CHECKOUT]
        if checkout.alias.weights:
            checkout.builds["9"] = checkout.builds["1"]
            world.awslambda.route(CHECKOUT, "live", "9", {}, checkout.alias.revision)

    world.pass_time = pass_time  # type: ignore[method-assign]

    release = world.deploy(**asked(world, artifacts={"checkout": ARTIFACT})).release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLBACK_FAILED, StopReason.ALIAS_MOVED)
    assert world.appconfig.live("limits") == "1"


def test_a_deployment_that_somebody_began_is_waited_for():
    world = ReleaseWorld()
    before = world.appconfig.stage

    def then_somebody_deploys(*args: Any) -> str:
        if len(world.appconfig.deployments) == 2:
            world.appconfig.somebody_deploys("texts", "1", looks=2)
        return before(*args)

    world.appconfig.stage = then_somebody_deploys  # type: ignore[method-assign]

    assert world.deploy(**asked(world)).release.status is ReleaseStatus.COMPLETED


def test_a_room_of_deploy_that_comes_late_changes_nothing():
    """It has read everything when a person takes the release back; its call reaches AppConfig afterwards."""
    world = ReleaseWorld()
    real = world.appconfig.start
    taken_back: list[bool] = []

    def too_late(place: Any, version: str, *more: Any) -> None:
        if version == "2" and not taken_back:
            taken_back.append(True)
            world.play("roll_back", release_id="shop-42", reason="wrong", actor="grace")
        real(place, version, *more)

    world.appconfig.start = too_late  # type: ignore[method-assign]

    release = world.deploy(**asked(world)).release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.BY_HAND)
    assert world.untouched()


def test_a_completed_one_is_taken_back_by_hand():
    world = ReleaseWorld()
    world.deploy(**asked(world))

    world.play("roll_back", release_id="shop-42", reason="too strict", actor="grace")

    assert world.ledger.release("shop-42").status is ReleaseStatus.ROLLED_BACK
    assert world.appconfig.live("limits") == "1"


# -- every call dies or fails once


def prepared(*, good: bool) -> tuple[ReleaseWorld, dict[str, Any]]:
    world = ReleaseWorld(manifest(look_seconds=600))
    world.appconfig.looks = 1
    world.failing = {} if good else {CHECKOUT: {"2": 0.3}}
    return world, asked(world, artifacts={"checkout": ARTIFACT})


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
@pytest.mark.parametrize(
    "error",
    [
        CrashedError("out of time"),
        ThrottledError("slow down"),
        BusyError("being changed"),
        RefusedError("not allowed"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_whatever_call_goes_wrong_code_and_configuration_end_as_one_set(
    error: BaseException, good: bool, before: bool
):
    world, request = prepared(good=good)
    world.deploy(**request)
    # every other one is test_deploy_crashes.py's
    ours = ("configurations.", "artifacts.", "releases.save")
    calls = [(at, call) for at, call in enumerate(world.fuse.calls) if call.startswith(ours)]
    assert len(calls) > 10
    for at, call in calls:
        world, request = prepared(good=good)
        world.fuse.blow(at, before=before, error=error)
        status = world.deploy(**request).release.status
        match status:
            case ReleaseStatus.COMPLETED:
                new = (world.awslambda.versions_live()[CHECKOUT], world.appconfig.live("limits"))
                assert (good, new) == (True, ("2", "2")), f"{at} {call}"
            case ReleaseStatus.ROLLED_BACK | ReleaseStatus.REFUSED:
                assert world.untouched(), f"{at} {call}"
            case ReleaseStatus.ROLLBACK_FAILED:  # a refusal on the way back is for people
                assert isinstance(error, RefusedError), f"{at} {call}"
                assert not good, f"{at} {call}"
            case _:
                raise AssertionError(f"{at} {call}: {status}")
        if good and not isinstance(error, RefusedError):
            assert status is ReleaseStatus.COMPLETED, f"{at} {call}"
        assert world.free(), f"{at} {call}"
