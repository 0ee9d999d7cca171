"""Taking a whole release back as a remedy: what it plans, refuses, reads back; and that it is not undone."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.actions import ACTIONS
from selfright.domain.errors import BusyError, RefusedError
from selfright.domain.incident import Plan
from selfright.domain.release import ReleaseStatus, StopReason
from tests.unit.usecases.release_world import CHECKOUT, STOCK, ReleaseWorld

ACTION = ACTIONS["lambda.roll_back_release"]
KNOWN = {"release": {"release_id": "shop-42"}}
BEFORE = {"release": "shop-42", "cart": "2", "stock": "2", "checkout": "2"}
AFTER = {"release": "shop-42", "cart": "1", "stock": "1", "checkout": "1"}


@pytest.fixture
def world() -> ReleaseWorld:
    world = ReleaseWorld()
    assert world.deploy().release.status is ReleaseStatus.COMPLETED
    return world


def planned(world: ReleaseWorld, facts: dict[str, Any] = KNOWN) -> Plan:
    return ACTION.plan(world, "checkout", world.workload.resource("checkout"), facts)  # type: ignore[arg-type]


def test_all_functions_go_back_as_one_set(world: ReleaseWorld):
    plan = planned(world)

    assert (plan.target, plan.before, plan.after, plan.resources_touched) == (CHECKOUT, BEFORE, AFTER, 1)
    assert ACTION.read(world, plan) == BEFORE  # type: ignore[arg-type]
    ACTION.apply(world, plan, plan.after)  # type: ignore[arg-type]
    ACTION.apply(world, plan, plan.after)  # type: ignore[arg-type]

    (given,) = world.roll_backs.started.values()
    assert (given.actor, given.cause) == ("respond", StopReason.INCIDENT)
    world.play("roll_back", **given.model_dump(mode="json"))
    assert ACTION.read(world, plan) == AFTER  # type: ignore[arg-type]
    assert world.ledger.release("shop-42").stop is StopReason.INCIDENT


def test_while_it_goes_back_nothing_is_known(world: ReleaseWorld):
    plan = planned(world)
    release = world.ledger.release("shop-42")
    world.ledger.save(release.but(status=ReleaseStatus.ROLLING_BACK))

    with pytest.raises(BusyError):
        ACTION.read(world, plan)  # type: ignore[arg-type]


def test_an_alias_between_two_versions_is_neither_before_nor_after(world: ReleaseWorld):
    plan = planned(world)
    world.awslambda.route(STOCK, "live", "2", {"1": 0.1}, world.awslambda.functions[STOCK].alias.revision)

    assert ACTION.read(world, plan)["stock"] == "2+1:0.1"  # type: ignore[arg-type]


def test_it_is_never_taken_back(world: ReleaseWorld):
    plan = planned(world)

    assert not ACTION.declaration.reversible
    with pytest.raises(RefusedError, match="ask for it anew"):
        ACTION.apply(world, plan, plan.before)  # type: ignore[arg-type]
    assert world.roll_backs.started == {}


def test_no_roll_back(world: ReleaseWorld):
    with pytest.raises(RefusedError, match="no release of Selfright"):
        planned(world, {"release": {"live_version": "2"}})

    world.awslambda.route(STOCK, "live", "1", {}, world.awslambda.functions[STOCK].alias.revision)
    with pytest.raises(RefusedError, match="not live any more"):
        planned(world)

    world.ledger.save(world.ledger.release("shop-42").but(status=ReleaseStatus.ROLLED_BACK))
    with pytest.raises(RefusedError, match="is rolled_back"):
        planned(world)
