"""Back to an earlier release by its name: the versions that it left live, or why not."""

from __future__ import annotations

import pytest

from selfright.domain.errors import NotFoundError, RefusedError
from selfright.domain.release import Milestone, Release, ReleaseStatus
from selfright.domain.release.way_back import way_back
from selfright.usecases.named_way_back import live_now, towards
from tests.unit.usecases.release_world import CART, CHECKOUT, STOCK, ReleaseWorld

FIRST, SECOND, THIRD = "shop-1", "shop-2", "shop-3"


def released(*names: str) -> ReleaseWorld:
    """Each release brings a new version of all three functions."""
    world = ReleaseWorld()
    for number, name in enumerate(names):
        for function in world.awslambda.functions.values():
            function.latest = function.latest.model_copy(update={"code_sha256": f"code-{number}"})
        assert world.deploy(release_id=name).release.status is ReleaseStatus.COMPLETED
    return world


def test_all_functions_are_as_that_release_left_them():
    world = released(FIRST, SECOND, THIRD)
    assert world.awslambda.versions_live() == {CART: "4", STOCK: "4", CHECKOUT: "4"}

    world.roll_back(THIRD, "all of it is slow", to=FIRST)

    assert world.awslambda.versions_live() == {CART: "2", STOCK: "2", CHECKOUT: "2"}
    assert world.awslambda.weights_left() == 0
    file = world.ledger.file(THIRD)
    assert (file.release.status, file.release.why) == (
        ReleaseStatus.ROLLED_BACK,
        f"grace: all of it is slow (to {FIRST})",
    )
    restored = next(line for line in file.log if line.milestone is Milestone.RESTORED)
    assert restored.detail["versions"] == {"cart": "2", "stock": "2", "checkout": "2"}
    assert world.free()
    # ... in reverse order, and the release that is live now is that one
    assert [name for name, _, _ in world.awslambda.changes[-3:]] == [CHECKOUT, STOCK, CART]
    live = live_now(file.release, releases=world.ledger, functions=world.awslambda)
    assert live.id == FIRST


def test_a_function_that_only_a_release_between_changed_goes_back_too():
    world = released(FIRST)
    for name, artifact in ((SECOND, "stock"), (THIRD, "checkout")):
        world.deploy(
            release_id=name,
            artifacts={artifact: {"bucket": "builds", "key": f"{name}.zip", "sha256": name[-1] * 64}},
        )
    # the second one needs another try: Lambda takes the code up meanwhile
    assert world.awslambda.versions_live() == {CART: "2", STOCK: "3", CHECKOUT: "3"}

    world.roll_back(THIRD, "slow", to=FIRST)

    assert world.awslambda.versions_live() == {CART: "2", STOCK: "2", CHECKOUT: "2"}


def test_a_version_that_was_deleted_is_refused_before_anything_is_changed():
    world = released(FIRST, SECOND, THIRD)
    del world.awslambda.functions[STOCK].builds["2"]
    before = world.awslambda.versions_live()
    world.awslambda.changes.clear()

    world.roll_back(THIRD, "slow", to=FIRST)

    file = world.ledger.file(THIRD)
    assert (file.release.status, world.awslambda.changes) == (ReleaseStatus.COMPLETED, [])
    assert world.awslambda.versions_live() == before
    (line,) = [line for line in file.log if line.milestone is Milestone.FAILED]
    assert f"version 2 of {STOCK}, live with {FIRST}, does not exist any more" in line.text
    assert world.channels.to("topic")[-1].body["Subject"].startswith("shop-3: failed")
    assert world.free()


def test_a_function_that_somebody_else_moved_since_stops_it_before_anything_is_changed():
    world = released(FIRST)
    for name, artifact in ((SECOND, "cart"), (THIRD, "checkout")):
        world.deploy(
            release_id=name,
            artifacts={artifact: {"bucket": "builds", "key": f"{name}.zip", "sha256": name[-1] * 64}},
        )
    stock = world.awslambda.functions[STOCK]
    stock.builds["9"] = stock.builds["2"]
    world.awslambda.route(STOCK, "live", "9", {}, stock.alias.revision)
    world.awslambda.changes.clear()

    world.roll_back(THIRD, "slow", to=FIRST)

    assert world.ledger.release(THIRD).status is ReleaseStatus.COMPLETED
    assert world.awslambda.changes == []
    assert world.free()


class WithStack(Release):
    stack: str | None = None


def ways(world: ReleaseWorld, to: str, live: str = THIRD) -> None:
    towards(world.ledger.release(live), to, releases=world.ledger, versions=world.awslambda)


@pytest.mark.parametrize(
    ("to", "live", "why"),
    [
        (THIRD, THIRD, "is what is live"),
        (THIRD, SECOND, "is newer than"),
        ("shop-bad", THIRD, "is rolled_back: it is not on record as good"),
    ],
)
def test_ways_that_are_none(to: str, live: str, why: str):
    world = released(FIRST, SECOND)
    world.failing = {CHECKOUT: {"4": 0.4}}
    for function in world.awslambda.functions.values():
        function.latest = function.latest.model_copy(update={"code_sha256": "bad"})
    world.deploy(release_id="shop-bad")
    world.failing = {}
    for function in world.awslambda.functions.values():
        function.latest = function.latest.model_copy(update={"code_sha256": "good"})
    world.deploy(release_id=THIRD)

    with pytest.raises(RefusedError, match=why):
        ways(world, to, live)


def test_only_a_completed_release_makes_way():
    world = released(FIRST, SECOND, THIRD)
    world.roll_back(THIRD, "slow")

    with pytest.raises(RefusedError, match="only a completed release makes way"):
        ways(world, FIRST)
    with pytest.raises(NotFoundError):
        ways(world, "nobody-knows-it", SECOND)


def test_versions_alone_do_not_take_back_what_else_a_release_between_changed():
    world = released(FIRST, SECOND, THIRD)
    first, second, third = (world.ledger.release(name) for name in (FIRST, SECOND, THIRD))
    between = WithStack(**{**dict(second), "stack": "change set 7"})

    with pytest.raises(RefusedError, match="shop-2, between shop-1 and shop-3, changed stack as well"):
        way_back(third, first, [between])
    assert way_back(third, first, [second]) == {"cart": "2", "stock": "2", "checkout": "2"}


def test_nothing_is_live_that_is_on_record():
    world = released(FIRST)
    world.awslambda.route(CART, "live", "1", {}, world.awslambda.functions[CART].alias.revision)

    with pytest.raises(RefusedError, match="no completed release"):
        live_now(world.ledger.release(FIRST), releases=world.ledger, functions=world.awslambda)
