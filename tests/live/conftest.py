"""Opt-in tests on an AWS account: SELFRIGHT_LIVE=1 SELFRIGHT_STACK=selfright-dev pytest tests/live

They need the deployed stack. What they make (one small table, one alarm) they delete; a run costs a few cents.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

T = TypeVar("T")
PREFIX = os.environ.get("SELFRIGHT_TABLE_PREFIX", "opportunity-analysis-")


@dataclass(frozen=True)
class Account:
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        import boto3

        connect: Any = boto3.client
        return connect(service)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = os.path.dirname(__file__)  # noqa: PTH120
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.live)
            if os.environ.get("SELFRIGHT_LIVE") != "1":
                item.add_marker(pytest.mark.skip(reason="needs an AWS account: set SELFRIGHT_LIVE=1"))


@pytest.fixture(scope="session")
def account() -> Account:
    stack = os.environ.get("SELFRIGHT_STACK", "selfright-dev")
    (found,) = Account({}).client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return Account({o["OutputKey"]: o["OutputValue"] for o in found["Outputs"]})


@pytest.fixture
def table(account: Account) -> Iterator[str]:
    """A provisioned table of one unit, within the name pattern that Selfright may manage."""
    dynamodb = account.client("dynamodb")
    name = f"{PREFIX}live-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    yield name
    dynamodb.delete_table(TableName=name)


@pytest.fixture
def alarm(account: Account, table: str) -> Iterator[str]:
    """An alarm on the table's consumed capacity that nobody is notified of."""
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=table,
        Namespace="AWS/DynamoDB",
        MetricName="ConsumedWriteCapacityUnits",
        Dimensions=[{"Name": "TableName", "Value": table}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1e9,
        ComparisonOperator="GreaterThanThreshold",
    )
    yield table
    cloudwatch.delete_alarms(AlarmNames=[table])


def eventually(look: Callable[[], T | None], within_seconds: float) -> T:
    """What `look` finds; these are real services, so this waits for real."""
    deadline = time.monotonic() + within_seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"nothing found within {within_seconds} s"
        time.sleep(2)
    return found
