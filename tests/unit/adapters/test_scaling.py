"""Application Auto Scaling's bounds for tables."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.adapters.aws import Aws
from selfright.adapters.scaling import TableScalingTargets
from selfright.domain.errors import BusyError, RefusedError
from selfright.ports import ScalingTarget
from tests.unit.adapters.conftest import Stubbed

WRITES = "dynamodb:table:WriteCapacityUnits"


def register(aws: Aws, table: str, dimension: str = WRITES, **more: Any) -> None:
    aws.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )
    aws.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="dynamodb",
        ResourceId=f"table/{table}",
        ScalableDimension=dimension,
        MinCapacity=5,
        MaxCapacity=10,
        **more,
    )


def test_only_registered_directions_are_told(aws: Aws):
    register(aws, "scaled")

    assert TableScalingTargets(aws).describe("scaled") == {"write": ScalingTarget(minimum=5, maximum=10)}
    assert TableScalingTargets(aws).describe("another") == {}


def test_a_suspended_target_is_told_so(aws: Aws):
    suspended = {"DynamicScalingOutSuspended": True}
    register(aws, "suspended", SuspendedState=suspended)

    assert TableScalingTargets(aws).describe("suspended")["write"].suspended


def test_raising_the_maximum_changes_nothing_else(aws: Aws):
    register(aws, "raised", SuspendedState={"DynamicScalingInSuspended": True})

    TableScalingTargets(aws).set_maximum("raised", "write", 40)

    (target,) = aws.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="dynamodb", ResourceIds=["table/raised"]
    )["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (5, 40)
    assert target["SuspendedState"]["DynamicScalingInSuspended"] is True


def test_only_the_maximum_is_sent(stubbed: Stubbed):
    stubbed.answer(
        "application-autoscaling",
        "register_scalable_target",
        {},
        ServiceNamespace="dynamodb",
        ResourceId="table/orders",
        ScalableDimension=WRITES,
        MaxCapacity=40,
    )

    TableScalingTargets(stubbed.aws).set_maximum("orders", "write", 40)


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("LimitExceededException", RefusedError),
        ("ValidationException", RefusedError),
        ("AccessDeniedException", RefusedError),
        ("ConcurrentUpdateException", BusyError),
    ],
)
def test_what_aws_answers_to_a_change(stubbed: Stubbed, code: str, ours: type[Exception]):
    stubbed.refuse("application-autoscaling", "register_scalable_target", code)

    with pytest.raises(ours):
        TableScalingTargets(stubbed.aws).set_maximum("orders", "write", 40)
