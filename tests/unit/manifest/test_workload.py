"""What the loop asks a workload."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from selfright.domain.errors import BadInputError, NotFoundError
from selfright.domain.manifest import (
    AlarmBinding,
    Autonomy,
    DynamoDBTable,
    LambdaFunction,
    ResourceType,
    Severity,
    Symptom,
    load,
)


def test_names_are_expanded_for_the_environment(smallest: dict[str, Any]):
    workload = load(smallest, {}, "staging")

    assert workload.resource("orders").name == "shop-staging-orders"
    assert workload.alarms["orders-throttled"].name == "shop-staging-orders-throttled"
    assert workload.notifications.topic == "shop-alerts"


def test_an_alarm_is_found_by_its_name_in_cloudwatch(smallest: dict[str, Any]):
    workload = load(smallest, {}, "production")

    assert workload.alarm_by_name("shop-production-orders-throttled") == AlarmBinding(
        key="orders-throttled",
        name="shop-production-orders-throttled",
        resource="orders",
        symptom=Symptom.THROTTLING,
        severity=Severity.CRITICAL,
    )
    assert workload.alarm_by_name("shop-staging-orders-throttled") is None


def test_guards_are_alarms(smallest: dict[str, Any]):
    workload = load(smallest, {}, "production")

    assert [guard.key for guard in workload.guard_alarms] == ["checkout-errors"]


def test_a_resource_is_of_the_type_that_it_names(smallest: dict[str, Any]):
    workload = load(smallest, {"resources": {"orders": {"capacity": {"max_units": 40}}}}, "production")
    table = workload.resource("orders")

    assert isinstance(table, DynamoDBTable)
    assert table.type is ResourceType.DYNAMODB_TABLE
    assert (table.capacity.min_units, table.capacity.max_units) == (5, 40)
    assert isinstance(workload.resource("checkout"), LambdaFunction)
    with pytest.raises(NotFoundError, match="shop has no resource 'order'"):
        workload.resource("order")


def test_a_runbook_observes_until_it_is_raised_by_name(smallest: dict[str, Any]):
    workload = load(smallest, {"autonomy": {"runbooks": {"database-performance": "approve"}}}, "production")

    assert workload.autonomy_for("database-performance") is Autonomy.APPROVE
    assert workload.autonomy_for("memory-resources") is Autonomy.OBSERVE


def test_autonomy_and_severity_compare_by_rank_not_by_spelling():
    assert Autonomy.OBSERVE < Autonomy.SUGGEST < Autonomy.APPROVE < Autonomy.AUTO
    assert sorted(["high", "critical", "low", "medium"], key=Severity) == [
        "low",
        "medium",
        "high",
        "critical",
    ]
    assert max(Severity) is Severity.CRITICAL
    assert Autonomy.AUTO >= "auto"
    assert not Autonomy.SUGGEST > Autonomy.SUGGEST
    assert not Autonomy.SUGGEST < Autonomy.SUGGEST
    assert Autonomy.SUGGEST <= Autonomy.APPROVE


def test_a_workload_cannot_be_changed(smallest: dict[str, Any]):
    workload = load(smallest, {}, "production")

    with pytest.raises(ValidationError, match="frozen"):
        workload.limits.attempts = 99


def test_spaces_around_text_do_not_matter(smallest: dict[str, Any]):
    workload = load(smallest | {"workload": " shop ", "owner": " shop-team\n"}, {}, "staging")

    assert (workload.workload, workload.owner) == ("shop", "shop-team")
    assert workload.resource("orders").name == "shop-staging-orders"


def test_an_unknown_environment_is_bad_input(smallest: dict[str, Any]):
    with pytest.raises(BadInputError) as caught:
        load(smallest, {}, "prod")

    assert caught.value.field == "environment"
    assert caught.value.rule == "must be one of development, staging, production (is 'prod')"


def test_a_function_may_be_changed_within_its_bounds(smallest: dict[str, Any]):
    circuit = {"application": "{workload}-{environment}", "environment": "{environment}", "profile": "flags"}
    overlay = {
        "resources": {
            "checkout": {
                "concurrency": {"max": 40},
                "circuits": {"payments": {**circuit, "flag": "pay_later"}},
            }
        }
    }

    function = load(smallest, overlay, "staging").resource("checkout")

    assert isinstance(function, LambdaFunction)
    assert (function.alias, function.concurrency.min, function.concurrency.max) == ("live", 1, 40)
    assert function.circuits["payments"].application == "shop-staging"
    assert function.circuits["payments"].environment == "staging"
    assert function.circuits["payments"].flag == "pay_later"


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"concurrency": {"min": 9, "max": 3}}, "resources.checkout.concurrency"),
        ({"alias": ""}, "resources.checkout.alias"),
        ({"circuits": {"payments": {"flag": "pay_later"}}}, "resources.checkout.circuits.payments"),
        ({"circuits": {"Payments!": {}}}, "resources.checkout.circuits"),
    ],
)
def test_bounds_of_a_function_that_make_no_sense(smallest: dict[str, Any], part: dict[str, Any], field: str):
    with pytest.raises(BadInputError) as refused:
        load(smallest, {"resources": {"checkout": part}}, "staging")

    assert refused.value.field.startswith(field)
