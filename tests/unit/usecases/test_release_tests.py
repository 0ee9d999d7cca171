"""Smoke tests and health, played through deploy.asl.json and roll_back.asl.json."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.domain.errors import NotFoundError, SourceDownError, ThrottledError
from selfright.domain.manifest import Workload, load
from selfright.domain.release import Milestone, ReleaseFile, ReleaseStatus, StopReason
from selfright.domain.release.probing import Heard, Ran
from tests.unit.usecases.release_world import CHECKOUT, RELEASING, STOCK, ReleaseWorld
from tests.unit.usecases.respond import CrashedError
from tests.unit.usecases.world import MANIFEST

PAGE = "https://shop.example/health"
BROKEN = Heard(seconds=0.2, trouble="KeyError: 'total'")
SMOKE: dict[str, Any] = {
    "cart-works": {"type": "invoke", "function": "cart", "expect": {"statusCode": 200}},
    "page-is-up": {"type": "http", "url": PAGE, "contains": ["up"]},
    "order-goes-through": {"type": "workflow", "state_machine": "ordering", "within_seconds": 60},
}
HEALTH: dict[str, Any] = {
    "liveness": {"checkout": {"type": "invoke", "function": "checkout", "expect": {"statusCode": 200}}},
    "deep": {"page": {"type": "http", "url": PAGE}},
}


def shop(**changes: Any) -> Workload:
    ordering = {"type": "state-machine", "name": "shop-ordering"}
    overlay = {
        "resources": {**RELEASING["resources"], "ordering": ordering},
        "deployment": {**RELEASING["deployment"], "smoke_tests": SMOKE, **changes.pop("deployment", {})},
        "health": HEALTH,
        **changes,
    }
    return load(MANIFEST, overlay, "development")


def told(file: ReleaseFile, key: str) -> str:
    return next(line.text for line in file.log if line.key == key)


def test_new_versions_are_asked_by_number_before_anybody_is_sent_to_them_and_by_users_ways_after():
    world = ReleaseWorld(shop())

    file = world.deploy()

    assert file.release.status is ReleaseStatus.COMPLETED, file.release.why
    at_first = [("shop-development-checkout", "live"), (PAGE,)]
    assert world.asked_things.asked == [
        *at_first,  # health, before anything is changed
        ("shop-development-cart", "2"),
        (PAGE,),
        ("shop-ordering",),
        *at_first,  # health, at the end
    ]
    tested = [line.key for line in file.log if line.milestone is Milestone.TESTED]
    assert tested == ["tested-before", "tested-after", "tested-end"]
    (evidence,) = next(line.detail["tests"] for line in file.log if line.key == "tested-before")
    assert evidence == {"name": "cart-works", "seconds": 0.2, "why": None}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (BROKEN, "cart-works: KeyError: 'total'"),
        (Heard(seconds=0.2, body={"statusCode": 503}), "cart-works: answer.statusCode is 503, not 200"),
        (Heard(seconds=0.2, body={}), "cart-works: answer has no statusCode"),
        (Heard(seconds=10.5, body={"statusCode": 200}), "cart-works: took 10.5 s, more than 10"),
    ],
)
def test_a_new_version_that_fails_its_test_is_never_sent_a_user(answer: Heard, why: str):
    world = ReleaseWorld(shop())
    world.asked_things.answers["shop-development-cart", "2"] = answer

    release = world.deploy().release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.SMOKE_TEST_FAILED)
    assert release.why == why
    assert [weights for _, _, weights in world.awslambda.changes if weights] == []
    assert world.untouched()
    assert world.free()


@pytest.mark.parametrize(
    ("asked", "answer", "why"),
    [
        ((PAGE,), Heard(seconds=0.1, status=302, body=""), "page-is-up: answered 302, not 200"),
        ((PAGE,), Heard(seconds=0.1, status=200, body="down"), "page-is-up: the answer does not hold 'up'"),
        (("shop-ordering",), Ran(status="FAILED", seconds=3), "order-goes-through: ended FAILED"),
        (
            ("shop-ordering",),
            Ran(status="RUNNING", seconds=61),
            "order-goes-through: took 61.0 s, more than 60, and runs still",
        ),
    ],
)
def test_a_test_that_fails_after_the_shift_takes_the_set_back_before_the_bake(
    asked: tuple[str, ...], answer: Any, why: str
):
    world = ReleaseWorld(shop(health={}))
    world.asked_things.answers[asked] = answer

    file = world.deploy()

    assert (file.release.status, file.release.stop) == (
        ReleaseStatus.ROLLED_BACK,
        StopReason.SMOKE_TEST_FAILED,
    )
    assert file.release.why == why
    assert world.untouched()
    # one gate, the canary's: nobody waited for the bake
    assert [line.milestone for line in file.log].count(Milestone.JUDGED) == 1


def test_an_execution_is_started_once_and_waited_for():
    world = ReleaseWorld(shop())
    looks = iter([Ran(status="RUNNING", seconds=1), Ran(status="RUNNING", seconds=6)])
    world.asked_things.answers["shop-ordering",] = lambda: next(looks, Ran(status="SUCCEEDED", seconds=8))

    assert world.deploy().release.status is ReleaseStatus.COMPLETED
    assert world.asked_things.asked.count(("shop-ordering",)) == 3
    assert world.asked_things.started == {"smoke-shop-42-1"}


@pytest.mark.parametrize("times", [1, 99])
def test_what_could_not_be_asked_is_asked_again_and_never_passed(times: int):
    world = ReleaseWorld(shop())
    down = iter([SourceDownError("no answer")] * times)

    def answer() -> Heard:
        for error in down:
            raise error
        return Heard(seconds=0.2, body={"statusCode": 200})

    world.asked_things.answers["shop-development-cart", "2"] = answer

    release = world.deploy().release

    if times == 1:
        assert release.status is ReleaseStatus.COMPLETED
    else:
        assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.STEP_FAILED)
        assert world.untouched()


def test_what_is_not_there_is_not_passed():
    world = ReleaseWorld(shop())

    def gone() -> Heard:
        raise NotFoundError("version 2 does not exist")

    world.asked_things.answers["shop-development-cart", "2"] = gone

    release = world.deploy().release

    assert release.stop is StopReason.SMOKE_TEST_FAILED
    assert release.why == "cart-works: could not be asked: version 2 does not exist"


def test_a_function_without_a_new_version_has_none_to_be_tested():
    world = ReleaseWorld(shop())
    artifact = {"bucket": "shop-artifacts", "key": "checkout.zip", "sha256": "2" * 64}

    assert world.deploy(artifacts={"checkout": artifact}).release.status is ReleaseStatus.COMPLETED
    assert ("shop-development-cart", "2") not in world.asked_things.asked


# -- requests of our own


def with_few_users(**deployment: Any) -> ReleaseWorld:
    """One request a minute for the new version, where 59 are wanted; our own are counted like users'."""
    world = ReleaseWorld(shop(health={}, deployment={"judged_on": ["cart"], **deployment}))
    world.requests = 4
    ours: list[str] = []

    def count() -> Heard:
        ours.append("request")
        return Heard(seconds=0.2, body={"statusCode": 200})

    world.asked_things.answers["shop-development-cart", "live"] = count
    before = world.pass_time

    def and_ours(seconds: float) -> None:
        world.requests = 4 + len(ours) * 60 / max(seconds, 60)
        ours.clear()
        before(seconds)

    world.pass_time = and_ours  # type: ignore[method-assign]
    return world


def test_where_users_are_too_few_our_own_requests_prove_a_release():
    world = with_few_users(synthetic_requests_per_minute=60)

    file = world.deploy()

    assert file.release.status is ReleaseStatus.COMPLETED, file.release.why
    ours = [line for line in file.log if line.key.startswith("tested-during")]
    prolonged = next(line for line in file.log if line.milestone is Milestone.PROLONGED)
    assert ours
    assert min(line.at for line in ours) > prolonged.at  # users first
    assert {len(line.detail["tests"]) for line in ours} == {60}


def test_they_prove_nothing_where_nobody_asked_for_them():
    world = with_few_users()

    assert world.deploy().release.stop is StopReason.TOO_FEW_REQUESTS
    assert ("shop-development-cart", "live") not in world.asked_things.asked


def test_where_lambda_takes_no_more_of_them_the_release_goes_on_without():
    world = with_few_users(synthetic_requests_per_minute=60)

    def throttled() -> Heard:
        raise ThrottledError("slow down")

    world.asked_things.answers["shop-development-cart", "live"] = throttled

    assert world.deploy().release.stop is StopReason.TOO_FEW_REQUESTS


def test_requests_of_our_own_stop_in_time_where_answers_are_slow():
    world = with_few_users(synthetic_requests_per_minute=60)

    def slow() -> Heard:
        world.clock.advance(9)
        return Heard(seconds=9, body={"statusCode": 200})

    world.asked_things.answers["shop-development-cart", "live"] = slow

    file = world.deploy()

    ours = [line for line in file.log if line.key.startswith("tested-during")]
    assert {len(line.detail["tests"]) for line in ours} == {4}  # of 45 s, ten are kept for the last


# -- health


def sick_while(world: ReleaseWorld, true: Any) -> None:
    def page() -> Heard:
        return Heard(seconds=0.1, status=503 if true() else 200, body="up")

    world.asked_things.answers[PAGE,] = page


def new_is_live(world: ReleaseWorld) -> bool:
    return world.awslambda.functions[CHECKOUT].alias.version == "2"


def test_an_unhealthy_workload_takes_no_release_unless_the_glass_is_broken():
    world = ReleaseWorld(shop(deployment={"smoke_tests": {}}))
    sick_while(world, lambda: not new_is_live(world))

    refused = world.deploy().release
    assert (refused.status, refused.stop) == (ReleaseStatus.REFUSED, StopReason.UNHEALTHY)
    assert refused.why == "unhealthy: deep.page: answered 503, not 200"

    glass = {"reason": "it is the fix", "approver": "grace"}
    fixed = world.deploy(release_id="shop-43", break_glass=glass).release
    assert fixed.status is ReleaseStatus.COMPLETED
    assert fixed.health.before == ("deep.page",)


def test_a_release_that_makes_the_workload_unhealthy_goes_back_and_is_healthy_again():
    world = ReleaseWorld(shop(deployment={"smoke_tests": {}}))
    sick_while(world, lambda: new_is_live(world))

    file = world.deploy()

    assert (file.release.status, file.release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.UNHEALTHY)
    assert file.release.health.after == ()
    assert told(file, "tested-restored").startswith("health after it was put back: 2 passed")
    assert world.untouched()


def test_one_bad_answer_about_health_is_asked_again():
    world = ReleaseWorld(shop(deployment={"smoke_tests": {}}))
    bad = iter([False, True])
    sick_while(world, lambda: next(bad, False))

    assert world.deploy().release.status is ReleaseStatus.COMPLETED


def test_put_back_but_not_healthy_is_not_rolled_back_and_wakes_people():
    world = ReleaseWorld(shop(deployment={"smoke_tests": {}}))
    world.failing = {STOCK: {"2": 0.5}}
    sick_while(world, lambda: world.awslambda.changes)  # from the first shift on, for good

    release = world.deploy().release

    assert release.status is ReleaseStatus.ROLLBACK_FAILED
    assert release.stop is StopReason.WORSE_THAN_BEFORE
    assert release.health.worse == ("deep.page",)
    assert world.untouched()
    assert world.free()
    closed = world.channels.to("topic")[-1].body["Message"]
    assert "put back, but not healthy: deep.page; people are needed" in closed


def test_what_was_unhealthy_before_is_not_the_releases_fault():
    world = ReleaseWorld(shop(deployment={"smoke_tests": {}}))
    world.failing = {CHECKOUT: {"2": 0.5}}
    sick_while(world, lambda: True)

    release = world.deploy(break_glass={"reason": "it is the fix", "approver": "grace"}).release

    assert release.status is ReleaseStatus.ROLLED_BACK
    assert (release.health.before, release.health.after) == (("deep.page",), ("deep.page",))


def test_health_that_nobody_can_ask_after_a_roll_back_is_no_health():
    world = ReleaseWorld(shop(deployment={"smoke_tests": {}}))
    world.failing = {CHECKOUT: {"2": 0.5}}

    def page() -> Heard:
        if world.awslambda.changes:
            raise SourceDownError("no answer")
        return Heard(seconds=0.1, status=200, body="up")

    world.asked_things.answers[PAGE,] = page

    release = world.deploy().release

    assert release.status is ReleaseStatus.ROLLBACK_FAILED
    assert world.untouched()


def test_a_completed_release_taken_back_by_hand_is_seen_to_be_healthy():
    world = ReleaseWorld(shop())
    world.deploy()

    world.play("roll_back", release_id="shop-42", reason="slow", actor="grace")

    file = world.ledger.file("shop-42")
    assert file.release.status is ReleaseStatus.ROLLED_BACK
    assert file.release.health.after == ()


# -- targets


@pytest.mark.parametrize(
    ("slowness", "stop"),
    [
        ({"2": 3.0}, StopReason.TARGET_MISSED),
        ({}, None),
        ({"1": 3.5, "2": 3.4}, None),  # it was missed before, too
    ],
)
def test_a_release_that_misses_its_target_goes_back(slowness: dict[str, float], stop: StopReason | None):
    fast = {"p95_seconds": {"end-to-end": 0.05}}
    world = ReleaseWorld(
        shop(targets=fast, health={}, deployment={"smoke_tests": {}, "target_of": {"checkout": "end-to-end"}})
    )
    world.awslambda.slowness = {(CHECKOUT, version): times for version, times in slowness.items()}

    release = world.deploy().release

    assert release.stop is stop
    assert (release.status is ReleaseStatus.COMPLETED) == (stop is None)
    if stop:
        assert release.why == "checkout: p95 0.072 s, target 0.05 s, before 0.024 s"


def test_a_target_of_a_stage_named_like_a_function_is_that_functions():
    world = ReleaseWorld(shop(targets={"p95_seconds": {"stock": 0.001}}, health={}))

    release = world.deploy(strategy={"type": "all-at-once"}).release

    assert (release.stop, release.why) == (StopReason.TARGET_MISSED, "stock: p95 0.024 s, target 0.001 s")


# -- crashes


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
def test_a_room_that_dies_while_it_asks_is_repeated_without_harm(good: bool, before: bool):
    def world() -> ReleaseWorld:
        made = ReleaseWorld(shop(deployment={"look_seconds": 600}))
        if not good:
            made.asked_things.answers["shop-ordering",] = Ran(status="FAILED", seconds=1)
        return made

    def played() -> list[str]:
        made = world()
        made.deploy()
        return made.fuse.calls

    asked = [at for at, call in enumerate(played()) if call.startswith("probes.")]
    assert len(asked) >= 7
    for at in asked:
        one = world()
        one.fuse.blow(at, before=before, error=CrashedError("out of time"))
        wanted = ReleaseStatus.COMPLETED if good else ReleaseStatus.ROLLED_BACK
        assert one.deploy().release.status is wanted, at
        assert one.free(), at
        assert good or one.untouched(), at
