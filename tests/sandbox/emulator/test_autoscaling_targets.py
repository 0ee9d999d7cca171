"""Application Auto Scaling moves a provisioned table with its consumption, between minimum and maximum."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.server import Server, start
from tests.sandbox.emulator.lambda_functions import eventually
from tests.sandbox.emulator.tables import KB, active, create_table, dynamodb

WRITE = "dynamodb:table:WriteCapacityUnits"


@pytest.fixture(scope="module")
def faster_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A quarter of an hour in a second and a half."""
    server = start(Path(tmp_path_factory.mktemp("faster-emulator")) / "state", scale=600.0)
    yield server
    server.stop()


def target(table: str, dimension: str = WRITE) -> dict[str, str]:
    return {"ServiceNamespace": "dynamodb", "ResourceId": f"table/{table}", "ScalableDimension": dimension}


def register(aws: Server, table: str, minimum: int, maximum: int) -> Any:
    client = aws.client("application-autoscaling")
    client.register_scalable_target(**target(table), MinCapacity=minimum, MaxCapacity=maximum)
    return client


def track(client: Any, table: str, utilisation: float = 70.0, **configuration: Any) -> str:
    arn: str = client.put_scaling_policy(
        PolicyName="keep",
        **target(table),
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": utilisation,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
            **configuration,
        },
    )["PolicyARN"]
    return arn


def provisioned(aws: Server, table: str) -> int:
    shown = dynamodb(aws).describe_table(TableName=table)["Table"]["ProvisionedThroughput"]
    return int(shown["WriteCapacityUnits"])


def test_a_table_below_the_minimum_is_raised_at_once(fast_aws: Server):
    table = create_table(fast_aws, write=1)
    register(fast_aws, table, minimum=5, maximum=100)
    assert active(fast_aws, table)["ProvisionedThroughput"]["WriteCapacityUnits"] == 5


def test_consumption_above_the_target_raises_capacity_toward_it(fast_aws: Server):
    # Given a table of 5 units, and a policy for 40 %
    table, client = create_table(fast_aws, write=5), dynamodb(fast_aws)
    track(register(fast_aws, table, minimum=5, maximum=12), table, utilisation=40.0)

    # When it is written to as fast as it takes
    def write_and_look() -> int:
        with contextlib.suppress(client.exceptions.ProvisionedThroughputExceededException):
            client.update_item(
                TableName=table,
                Key={"pk": {"S": "a"}},
                UpdateExpression="SET body = :body",
                ExpressionAttributeValues={":body": {"S": KB * 50}},
            )
        return provisioned(fast_aws, table)

    # Then the capacity rises, and not beyond the maximum
    raised = eventually(write_and_look, lambda units: units > 5)
    assert 5 < raised <= 12


def test_an_idle_table_is_lowered_to_the_minimum(faster_aws: Server):
    # Given nothing consumed in 15 minutes
    table = create_table(faster_aws, write=50)
    began = faster_aws.now()
    track(register(faster_aws, table, minimum=5, maximum=100), table)
    assert eventually(lambda: provisioned(faster_aws, table), lambda units: units == 5) == 5
    assert faster_aws.now() - began > 15 * 60


def test_targets_and_policies_are_described_until_they_are_deleted(aws: Server):
    table = create_table(aws, write=5)
    client = register(aws, table, minimum=5, maximum=100)
    arn = track(client, table)
    targets = client.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=[f"table/{table}"])
    found = targets["ScalableTargets"][0]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (5, 100)
    assert found["ScalableDimension"] == WRITE
    policies = client.describe_scaling_policies(ServiceNamespace="dynamodb", ResourceId=f"table/{table}")
    policy = policies["ScalingPolicies"][0]
    assert policy["PolicyARN"] == arn
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70.0
    # When changed and deleted
    client.register_scalable_target(**target(table), MaxCapacity=50)
    changed = client.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=[f"table/{table}"])
    assert changed["ScalableTargets"][0]["MaxCapacity"] == 50
    client.delete_scaling_policy(PolicyName="keep", **target(table))
    client.deregister_scalable_target(**target(table))
    gone = client.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=[f"table/{table}"])
    assert gone["ScalableTargets"] == []


def test_what_application_auto_scaling_refuses(aws: Server):
    client, table = aws.client("application-autoscaling"), create_table(aws, write=5)
    with pytest.raises(ClientError, match="ValidationException"):
        client.register_scalable_target(**target(table), MinCapacity=9, MaxCapacity=5)
    with pytest.raises(ClientError, match="does not exist"):
        client.register_scalable_target(**target("nowhere"), MinCapacity=1, MaxCapacity=5)
    with pytest.raises(ClientError, match="ObjectNotFoundException"):
        track(client, table)
    with pytest.raises(ClientError, match="ObjectNotFoundException"):
        client.deregister_scalable_target(**target(table))
    register(aws, table, minimum=5, maximum=10)
    with pytest.raises(ClientError, match="DynamoDBWriteCapacityUtilization"):
        track(
            client,
            table,
            PredefinedMetricSpecification={"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
        )
