"""What the actions on a Lambda function plan, refuse, read back and restore."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.actions import ACTIONS
from selfright.domain.errors import DriftedError, RefusedError
from selfright.domain.incident import Plan
from selfright.domain.serving import AliasState, ConcurrencyState
from tests.unit.usecases.failing_shop import CIRCUIT, FUNCTION, FailingShop

RELEASE = {"release": {"live_version": "2", "previous_version": "1"}}
BLAMED = {"failing_dependency": "payments"}


@pytest.fixture
def shop() -> FailingShop:
    return FailingShop(lambda _: (0.0, 0.0), released=True)


def planned(shop: FailingShop, action: str, facts: dict[str, Any]) -> Plan:
    return ACTIONS[action].plan(shop, "checkout", shop.workload.resource("checkout"), facts)


@pytest.mark.parametrize(
    ("action", "facts"),
    [
        ("lambda.roll_back_alias", RELEASE),
        ("flags.open_circuit", BLAMED),
        ("lambda.raise_concurrency", {}),
    ],
)
def test_done_read_back_and_undone(shop: FailingShop, action: str, facts: dict[str, Any]):
    plan, this = planned(shop, action, facts), ACTIONS[action]

    assert (plan.target, plan.resources_touched) == (FUNCTION, 1)
    assert this.read(shop, plan) == plan.before
    this.apply(shop, plan, plan.after)
    assert this.read(shop, plan) == plan.after
    this.apply(shop, plan, plan.before)
    assert this.read(shop, plan) == plan.before


# -- rolling back


@pytest.mark.parametrize(
    ("alias", "facts", "why"),
    [
        (AliasState(version="2", revision="r"), {}, "no version is known"),
        (AliasState(version="2", revision="r", weights={"1": 0.5}), RELEASE, "deployment is under way"),
        (AliasState(version="3", revision="r"), RELEASE, "moved meanwhile, from 2 to 3"),
        (
            AliasState(version="2", revision="r"),
            {"release": {"live_version": "2", "previous_version": "3"}},
            "3 is not older than 2",
        ),
    ],
)
def test_no_roll_back(shop: FailingShop, alias: AliasState, facts: dict[str, Any], why: str):
    shop.lambda_.now = alias

    with pytest.raises(RefusedError, match=why):
        planned(shop, "lambda.roll_back_alias", facts)


def test_an_alias_that_somebody_moved_since_is_left_alone(shop: FailingShop):
    plan = planned(shop, "lambda.roll_back_alias", RELEASE)
    shop.lambda_.now = AliasState(version="9", revision="theirs")

    with pytest.raises(DriftedError, match="points to 9"):
        ACTIONS[plan.action].apply(shop, plan, plan.after)
    assert shop.lambda_.changes == []


# -- circuits


@pytest.mark.parametrize("facts", [{}, {"failing_dependency": None}, {"failing_dependency": "search"}])
def test_only_a_circuit_that_the_manifest_names_is_opened(shop: FailingShop, facts: dict[str, Any]):
    with pytest.raises(RefusedError, match="names no circuit"):
        planned(shop, "flags.open_circuit", facts)


def test_a_circuit_that_is_open_already_does_not_help(shop: FailingShop):
    shop.appconfig.flags[CIRCUIT] = True

    with pytest.raises(RefusedError, match="open already"):
        planned(shop, "flags.open_circuit", BLAMED)


# -- concurrency


def limits(reserved: int | None, unreserved: int) -> ConcurrencyState:
    return ConcurrencyState(reserved=reserved, account_limit=1000, account_unreserved=unreserved)


@pytest.mark.parametrize(
    ("reserved", "unreserved", "units", "factor"),
    [
        (5, 900, 10, 2.0),
        (15, 900, 20, 20 / 15),  # the manifest's maximum
        (5, 103, 8, 1.6),  # a hundred stay for everybody else
        (1, 900, 5, 5.0),  # the manifest's minimum; whether that is too much at once is for the gates
        (None, 900, 20, 1.0),  # a reservation is a cap, too: not below what the manifest allows
    ],
)
def test_concurrency_is_doubled_within_manifest_and_account(
    shop: FailingShop, reserved: int | None, unreserved: int, units: int, factor: float
):
    shop.lambda_.limits = limits(reserved, unreserved)

    plan = planned(shop, "lambda.raise_concurrency", {})

    assert (plan.after, plan.increase_factor) == ({"reserved": units}, pytest.approx(factor))


@pytest.mark.parametrize(
    ("reserved", "unreserved", "why"),
    [
        (20, 900, "21 would be needed"),
        (5, 100, "6 would be needed"),
        (5, 40, "6 would be needed"),
        (0, 900, "switched off"),
        (None, 119, "20 would be needed"),
    ],
)
def test_no_more_concurrency(shop: FailingShop, reserved: int | None, unreserved: int, why: str):
    shop.lambda_.limits = limits(reserved, unreserved)

    with pytest.raises(RefusedError, match=why):
        planned(shop, "lambda.raise_concurrency", {})


def test_what_was_not_reserved_is_not_reserved_after_the_undo(shop: FailingShop):
    shop.lambda_.limits = limits(None, 900)
    plan = planned(shop, "lambda.raise_concurrency", {})

    ACTIONS[plan.action].apply(shop, plan, plan.after)
    ACTIONS[plan.action].apply(shop, plan, plan.before)

    assert plan.before == {"reserved": "none"}
    assert shop.lambda_.changes == [("reserved", 20), ("reserved", None)]
