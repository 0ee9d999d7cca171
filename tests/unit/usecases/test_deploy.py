"""A release from its request to its end, played through deploy.asl.json and roll_back.asl.json."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.errors import BadInputError, RefusedError
from selfright.domain.manifest import load
from selfright.domain.release import Milestone, ReleaseFile, ReleaseStatus, StopReason
from selfright.ports import Switches
from tests.fakes import Down
from tests.unit.usecases.release_world import CART, CHECKOUT, RELEASING, STOCK, ReleaseWorld, manifest
from tests.unit.usecases.world import MANIFEST

ALL_NEW = {CART: "2", STOCK: "2", CHECKOUT: "2"}


def milestones(file: ReleaseFile) -> list[Milestone]:
    return [line.milestone for line in file.log if line.milestone is not Milestone.TOLD]


def test_a_good_release_goes_out_as_one_set_and_is_told_at_every_step():
    world = ReleaseWorld()

    file = world.deploy()

    assert file.release.status is ReleaseStatus.COMPLETED
    assert world.awslambda.versions_live() == ALL_NEW
    assert world.awslambda.weights_left() == 0
    # in the manifest's order, a quarter first
    assert world.awslambda.changes == [
        *((name, "1", {"2": 0.25}) for name in (CART, STOCK, CHECKOUT)),
        *((name, "2", {}) for name in (CART, STOCK, CHECKOUT)),
    ]
    assert milestones(file) == [
        Milestone.REQUESTED,
        Milestone.ADMITTED,
        Milestone.PUBLISHED,
        Milestone.SHIFTED,
        Milestone.JUDGED,
        Milestone.SHIFTED,
        Milestone.JUDGED,
        Milestone.CLOSED,
    ]
    verdicts = [line.detail for line in file.log if line.milestone is Milestone.JUDGED]
    assert [v["verdict"] for v in verdicts] == ["PASS", "PASS"]
    assert verdicts[0]["rulings"]["checkout"]["canary"] == {"errors": 0, "invocations": 90}
    assert verdicts[0]["rulings"]["checkout"]["control"] == {"errors": 0, "invocations": 270}
    told = [notice.body["Subject"] for notice in world.channels.to("topic")]
    assert told == [f"shop-42: {what}, shop development" for what in ("shifted", "shifted", "closed")]
    assert world.free()


@pytest.mark.parametrize(
    ("strategy", "steps"),
    [
        ({"type": "all-at-once"}, [1.0]),
        ({"type": "linear", "percent": 40, "every_seconds": 600}, [0.4, 0.8, 1.0]),
        ({"type": "custom", "percents": [30, 60, 100], "every_seconds": 600}, [0.3, 0.6, 1.0]),
    ],
)
def test_every_strategy_ends_with_all_requests_at_the_new_versions(
    strategy: dict[str, Any], steps: list[float]
):
    world = ReleaseWorld()
    world.requests = 60

    file = world.deploy(strategy=strategy)

    assert file.release.status is ReleaseStatus.COMPLETED
    shifts = [weights.get("2", 1.0) for name, _, weights in world.awslambda.changes if name == CHECKOUT]
    assert shifts == steps
    assert world.awslambda.versions_live() == ALL_NEW


@pytest.mark.parametrize("strategy", [None, {"type": "all-at-once"}])
def test_a_release_that_fails_three_of_ten_requests_goes_back_as_one_set(strategy: dict[str, Any] | None):
    world = ReleaseWorld()
    world.failing = {CHECKOUT: {"2": 0.3}}

    file = world.deploy(strategy=strategy)

    release = file.release
    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.WORSE_THAN_BEFORE)
    assert world.untouched()
    assert release.evidence_at is not None
    assert release.restored_at is not None
    # ... before the gate was due, and in reverse order
    assert Milestone.JUDGED not in milestones(file)
    assert [name for name, version, _ in world.awslambda.changes if version == "1"][-3:] == [
        CHECKOUT,
        STOCK,
        CART,
    ]
    assert world.free()


def test_a_function_that_proves_nothing_can_still_fail_the_set():
    world = ReleaseWorld()
    world.failing = {STOCK: {"2": 0.5}}

    assert world.deploy().release.status is ReleaseStatus.ROLLED_BACK
    assert world.untouched()


def test_a_release_that_is_three_times_slower_goes_back_once_there_are_minutes_to_tell():
    world = ReleaseWorld()
    world.awslambda.slowness = {(CHECKOUT, "2"): 3.0}

    release = world.deploy(strategy={"type": "canary", "percent": 25, "for_seconds": 1500}).release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.WORSE_THAN_BEFORE)
    assert "slower by" in release.why
    assert world.untouched()


def test_errors_of_both_versions_are_not_the_releases_fault():
    world = ReleaseWorld()
    world.failing = {CHECKOUT: {"1": 0.03, "2": 0.03}}

    assert world.deploy().release.status is ReleaseStatus.COMPLETED


def test_too_few_requests_prolong_a_step_and_never_promote():
    world = ReleaseWorld()
    world.requests = 4  # one a minute for the new version

    file = world.deploy()

    assert (file.release.status, file.release.stop) == (
        ReleaseStatus.ROLLED_BACK,
        StopReason.TOO_FEW_REQUESTS,
    )
    assert milestones(file).count(Milestone.PROLONGED) == 2
    assert world.untouched()


def test_an_alarm_during_the_bake_takes_it_back():
    world = ReleaseWorld()
    before = world.pass_time

    def then_the_alarm(seconds: float) -> None:
        before(seconds)
        if CHECKOUT in {name for name, version, _ in world.awslambda.changes if version == "2"}:
            world.alarm(State.ALARM)

    world.pass_time = then_the_alarm  # type: ignore[method-assign]

    release = world.deploy().release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.ALARM_WENT_OFF)
    assert world.untouched()


def test_an_alias_that_somebody_else_moved_is_left_alone_and_the_rest_goes_back():
    world = ReleaseWorld()
    before = world.pass_time

    def somebody_moves_stock(seconds: float) -> None:
        before(seconds)
        stock = world.awslambda.functions[STOCK]
        if stock.alias.weights:
            stock.builds["9"] = stock.builds["1"]
            world.awslambda.route(STOCK, "live", "9", {}, stock.alias.revision)

    world.pass_time = somebody_moves_stock  # type: ignore[method-assign]

    release = world.deploy().release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLBACK_FAILED, StopReason.ALIAS_MOVED)
    assert world.awslambda.versions_live() == {CART: "1", STOCK: "9", CHECKOUT: "1"}
    assert world.free()
    assert [notice.body["event_action"] for notice in world.channels.to("pager")] == []


# -- admission


def refused(world: ReleaseWorld, **changes: Any) -> StopReason | None:
    """Why a request is refused; the workload is as it was."""
    release = world.deploy(**changes).release
    assert release.status is ReleaseStatus.REFUSED
    assert world.awslambda.changes == []
    assert world.free()
    return release.stop


def test_what_cannot_be_put_back_keeps_nothing_else_at_the_new_version():
    world = ReleaseWorld()
    world.failing = {CHECKOUT: {"2": 0.3}}
    lambdas = world.awslambda

    class Refusing:
        """Lambda will not change one alias any more, once it has weights."""

        def __getattr__(self, name: str) -> Any:
            return getattr(lambdas, name)

        def route(self, function: str, *arguments: Any) -> Any:
            if function == CHECKOUT and lambdas.functions[CHECKOUT].alias.weights:
                raise RefusedError("not allowed")
            return lambdas.route(function, *arguments)

    world.versions = Refusing()

    release = world.deploy().release

    assert release.status is ReleaseStatus.ROLLBACK_FAILED
    left = {name: dict(one.alias.weights) for name, one in lambdas.functions.items()}
    assert left == {CART: {}, STOCK: {}, CHECKOUT: {"2": 0.25}}
    assert world.channels.to("topic")[-1].body["Subject"] == "shop-42: closed, shop development"
    assert world.free()


def test_the_kill_switch_stops_it():
    world = ReleaseWorld()
    world.board.switches = Switches(kill_switch=True)

    glass = {"reason": "a leak", "approver": "grace"}
    assert refused(world, break_glass=glass) is StopReason.SWITCHED_OFF


def test_an_alarm_that_is_on_stops_it_unless_the_glass_is_broken():
    world = ReleaseWorld()
    world.alarm(State.ALARM)
    assert refused(world) is StopReason.ALARM_RED

    glass = {"reason": "it is the fix", "approver": "grace"}
    file = world.deploy(release_id="shop-43", break_glass=glass)

    assert file.release.status is ReleaseStatus.COMPLETED
    admitted = next(line for line in file.log if line.milestone is Milestone.ADMITTED)
    assert "grace broke the glass over alarm-red: it is the fix" in admitted.text


def test_a_freeze_stops_a_release_and_not_its_way_back():
    freeze = {"name": "year end", "from": "2026-11-23T10:01:00Z", "to": "2026-11-24T00:00:00Z"}
    workload = manifest()
    frozen = workload.model_copy(
        update={"windows": type(workload.windows).model_validate({"freezes": [freeze]})}
    )
    world = ReleaseWorld(frozen)
    world.failing = {CHECKOUT: {"2": 0.3}}  # it begins before the freeze, and goes back in it

    assert world.deploy().release.status is ReleaseStatus.ROLLED_BACK
    world.awslambda.changes.clear()
    assert refused(world, release_id="shop-43") is StopReason.CHANGE_FREEZE


def test_outside_its_windows_nothing_is_released():
    window = {"name": "tuesdays", "days": ["tuesday"], "from": "10:00", "to": "12:00"}  # it is a Monday

    assert refused(ReleaseWorld(manifest(windows=[window]))) is StopReason.OUTSIDE_WINDOW


@pytest.mark.parametrize(
    ("approver", "stop"),
    [(None, StopReason.APPROVAL_MISSING), ("ada", StopReason.APPROVAL_MISSING), ("grace", None)],
)
def test_four_eyes(approver: str | None, stop: StopReason | None):
    release = ReleaseWorld(manifest(approval_required=True)).deploy(approver=approver).release

    assert release.stop is stop


@pytest.mark.parametrize(
    ("change", "stop"),
    [
        (lambda w: w.awslambda.route(CART, "live", "1", {"1": 0.1}, "r1"), StopReason.WEIGHTS_LEFT),
        (lambda w: w.awslambda.busy_with_an_update(STOCK), StopReason.FUNCTION_BUSY),
        (lambda w: w.awslambda.with_provisioned.add(CART), StopReason.PROVISIONED_CONCURRENCY),
        (lambda w: alter(w, role="another"), StopReason.ROLE_DIFFERS),
        (lambda w: alter(w, dead_letters="a queue"), StopReason.DEAD_LETTERS_DIFFER),
        (lambda w: alter(w, settings=frozenset()), StopReason.SETTINGS_MISSING),
    ],
)
def test_pre_flight(change: Any, stop: StopReason):
    world = ReleaseWorld()
    change(world)
    world.awslambda.changes.clear()

    assert refused(world) is stop


BACKED_UP = {"backup": {"tables": {"orders": {}}}}


@pytest.mark.parametrize(
    ("asked", "lag", "why"),
    [
        (900, 300, None),
        (900, 901, "orders could be restored to 2026-11-23 09:45:19 UTC at best"),
        (900, None, "orders could not be restored to any moment"),
        (None, None, None),
    ],
)
def test_backups_are_as_fresh_as_the_manifest_wants_them(asked: int | None, lag: int | None, why: str | None):
    world = ReleaseWorld(
        load(
            {**MANIFEST, **BACKED_UP},
            {**RELEASING, "deployment": {**RELEASING["deployment"], "backups_within_seconds": asked}},
            "development",
        )
    )
    world.tables.lag = timedelta(seconds=lag) if lag is not None else None

    release = world.deploy().release

    assert release.stop is (StopReason.BACKUPS_STALE if why else None)
    assert (why or "") in release.why


def alter(world: ReleaseWorld, **changes: Any) -> None:
    stock = world.awslambda.functions[STOCK]
    stock.latest = stock.latest.model_copy(update=changes)


def test_a_role_may_change_where_no_requests_are_split():
    world = ReleaseWorld()
    alter(world, role="another")

    assert world.deploy(strategy={"type": "all-at-once"}).release.status is ReleaseStatus.COMPLETED


def test_nothing_new_is_no_release():
    world = ReleaseWorld()
    world.deploy()
    world.awslambda.changes.clear()

    assert refused(world, release_id="shop-43") is StopReason.NOTHING_NEW


# -- artifacts


def test_only_what_has_an_artifact_is_released():
    world = ReleaseWorld()
    artifact = {"bucket": "shop-artifacts", "key": "checkout.zip", "sha256": "2" * 64}

    assert world.deploy(artifacts={"checkout": artifact}).release.status is ReleaseStatus.COMPLETED
    assert world.awslambda.versions_live() == {CART: "1", STOCK: "1", CHECKOUT: "2"}


def test_an_artifact_that_is_not_what_was_asked_for_is_refused():
    world = ReleaseWorld()
    artifact = {"bucket": "shop-artifacts", "key": "tampered.zip", "sha256": "2" * 64}

    release = world.deploy(artifacts={"checkout": artifact}).release

    assert (release.status, release.stop) == (ReleaseStatus.REFUSED, StopReason.STEP_FAILED)
    assert "is not the file that was asked for" in release.why
    assert world.untouched()


# -- twice, two at once, by hand


def test_the_same_request_twice_is_one_release():
    world = ReleaseWorld()
    world.deploy()
    changes = list(world.awslambda.changes)

    file = world.deploy()

    assert world.deployments.started == ["shop-42"]
    assert file.release.status is ReleaseStatus.COMPLETED
    assert world.awslambda.changes == changes


def test_another_request_may_not_take_a_known_id():
    world = ReleaseWorld()
    world.ask()

    with pytest.raises(BadInputError, match="release_id: must be new"):
        world.ask(reason="something else")


def test_the_second_of_two_at_once_is_refused_with_the_first_ones_name():
    world = ReleaseWorld()
    before, second = world.pass_time, []

    def a_second_comes(seconds: float) -> None:
        before(seconds)
        if not second:
            second.append("shop-43")
            world.ask(release_id="shop-43")
            world.play("deploy", release_id="shop-43")

    world.pass_time = a_second_comes  # type: ignore[method-assign]

    assert world.deploy().release.status is ReleaseStatus.COMPLETED
    refusal = world.ledger.release("shop-43")
    assert (refusal.status, refusal.stop) == (ReleaseStatus.REFUSED, StopReason.ANOTHER_UNDER_WAY)
    assert "shop-42" in refusal.why
    assert world.awslambda.versions_live() == ALL_NEW
    assert world.free()


def test_a_release_on_its_way_is_rolled_back_by_hand():
    world = ReleaseWorld()
    before, asked = world.pass_time, []

    def somebody_stops_it(seconds: float) -> None:
        before(seconds)
        if not asked and world.awslambda.weights_left():
            asked.append(True)
            world.roll_back("shop-42", "wrong branch")

    world.pass_time = somebody_stops_it  # type: ignore[method-assign]

    release = world.deploy().release

    assert (release.status, release.stop, release.why) == (
        ReleaseStatus.ROLLED_BACK,
        StopReason.BY_HAND,
        "grace: wrong branch",
    )
    assert world.untouched()
    assert world.free()


def test_a_completed_release_is_rolled_back_by_hand_twice_without_harm():
    world = ReleaseWorld()
    world.deploy()

    # By hand nobody need say more than which release, why and who.
    world.play("roll_back", release_id="shop-42", reason="slow", actor="grace")
    world.roll_back("shop-42", "slow")

    release = world.ledger.release("shop-42")
    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.BY_HAND)
    assert world.untouched()
    assert world.free()


def test_a_live_release_that_cannot_be_taken_back_stays_and_people_are_told():
    world = ReleaseWorld()
    world.deploy()
    before = len(world.channels.to("topic"))
    world.functions = Down()

    world.play("roll_back", release_id="shop-42", reason="a complaint", actor="grace")

    release = world.ledger.release("shop-42")
    assert (release.status, world.awslambda.versions_live()) == (ReleaseStatus.COMPLETED, ALL_NEW)
    (told,) = world.channels.to("topic")[before:]
    assert told.body["Subject"] == "shop-42: failed, shop development"
    assert "stays completed: SourceDownError: it is down" in told.body["Message"]
    assert world.free()


def test_a_release_that_is_not_live_any_more_is_not_rolled_back():
    world = ReleaseWorld()
    world.deploy()
    for function in world.awslambda.functions.values():
        function.latest = function.latest.model_copy(update={"code_sha256": "newer"})
    world.deploy(release_id="shop-43")
    live = world.awslambda.versions_live()

    world.roll_back("shop-42", "slow")

    assert world.ledger.release("shop-42").status is ReleaseStatus.COMPLETED
    assert world.awslambda.versions_live() == live
    assert world.free()


# -- what went back is not released again by a request that does not name it


def went_back(world: ReleaseWorld) -> None:
    """$LATEST holds the code of a release that was taken back."""
    world.failing = {CHECKOUT: {"2": 0.3}}
    assert world.deploy().release.status is ReleaseStatus.ROLLED_BACK
    world.failing = {}


def test_the_code_of_a_release_that_went_back_is_not_released_again_unnamed():
    world = ReleaseWorld()
    went_back(world)

    release = world.deploy(release_id="shop-43").release

    assert (release.status, release.stop) == (ReleaseStatus.REFUSED, StopReason.WENT_BACK)
    assert "$LATEST holds the code of shop-42" in release.why
    assert world.untouched()
    # ... nor with other settings, which make it another version
    for function in world.awslambda.functions.values():
        function.builds.pop("2")
    assert world.deploy(release_id="shop-44").release.stop is StopReason.WENT_BACK


def test_nor_are_its_settings_where_the_code_is_what_is_live():
    world = ReleaseWorld()
    for function in world.awslambda.functions.values():
        live = function.builds["1"]
        function.latest = function.latest.model_copy(update={"code_sha256": live.code_sha256})
        function.builds["2"] = live.model_copy(update={"version": "2", "role": live.role})
    went_back(world)

    release = world.deploy(release_id="shop-43").release

    assert (release.status, release.stop) == (ReleaseStatus.REFUSED, StopReason.WENT_BACK)
    assert "went back with an earlier release" in release.why
    assert world.untouched()
    assert world.free()


def test_a_request_that_names_the_artifact_means_it():
    world = ReleaseWorld()
    went_back(world)
    artifact = {"bucket": "builds", "key": "42.zip", "sha256": "1" * 64}  # the code that went back

    release = world.deploy(
        release_id="shop-43", artifacts=dict.fromkeys(("cart", "stock", "checkout"), artifact)
    ).release

    assert release.status is ReleaseStatus.COMPLETED
    assert world.awslambda.versions_live() == ALL_NEW
    # ... and once it is live, it may be named or not
    assert world.deploy(release_id="shop-44").release.stop is StopReason.NOTHING_NEW


def test_new_code_may_follow_a_release_that_went_back():
    world = ReleaseWorld()
    went_back(world)
    for function in world.awslambda.functions.values():
        function.latest = function.latest.model_copy(update={"code_sha256": "mended"})

    assert world.deploy(release_id="shop-43").release.status is ReleaseStatus.COMPLETED
