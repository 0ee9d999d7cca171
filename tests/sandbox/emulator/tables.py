"""DynamoDB tables and their metrics, for the tests of DynamoDB's behaviours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.server import ACCOUNT, REGION, Server
from tests.sandbox.emulator.alarms import unique
from tests.sandbox.emulator.lambda_functions import eventually

KB = "x" * 1024
NO_RETRIES = {"max_attempts": 0}


def dynamodb(aws: Server) -> Any:
    """A client that shows every refusal instead of trying again."""
    return aws.client("dynamodb", retries=NO_RETRIES)


def create_table(aws: Server, *, read: int = 100, write: int = 1, index: int | None = None) -> str:
    """A provisioned table with the key `pk`, and an index on `kind` with `index` write units."""
    name = unique("table")
    attributes, extra = ["pk"], {}
    if index is not None:
        attributes.append("kind")
        extra["GlobalSecondaryIndexes"] = [
            {
                "IndexName": "by-kind",
                "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": index},
            }
        ]
    dynamodb(aws).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in attributes],
        ProvisionedThroughput={"ReadCapacityUnits": read, "WriteCapacityUnits": write},
        **extra,
    )
    return name


def create_on_demand_table(aws: Server, **settings: Any) -> str:
    name = unique("table")
    dynamodb(aws).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **settings,
    )
    return name


def arn(table: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"


def item(key: str, kilobytes: int = 0, **attributes: str) -> dict[str, Any]:
    """An item a little larger than so many KB; 0: well below one."""
    shown = {name: {"S": value} for name, value in {"pk": key, **attributes}.items()}
    return {**shown, "body": {"S": KB * kilobytes}} if kilobytes else shown


def drain(aws: Server, table: str, seconds: int = 600) -> None:
    """Spend what the table (1 write unit a second) will have in the next `seconds`, so that it is short now."""
    dynamodb(aws).update_item(
        TableName=table,
        Key={"pk": {"S": "drain"}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": KB * min(seconds, 390)}},
    )


def refused(call: Callable[[], Any]) -> dict[str, Any]:
    """The whole answer of a call that is refused."""
    with pytest.raises(ClientError) as error:
        call()
    answer: dict[str, Any] = dict(error.value.response)
    return answer


def metric(aws: Server, name: str, table: str, stat: str = "Sum", **dimensions: str) -> float | None:
    """An AWS/DynamoDB figure over the last hours; None where there is no datapoint."""
    given = {"TableName": table, **dimensions}
    source = {
        "Metric": {
            "Namespace": "AWS/DynamoDB",
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in given.items()],
        },
        "Period": 86400,
        "Stat": stat,
    }
    now = aws.now()
    found = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": source}],
        StartTime=datetime.fromtimestamp(now - 43200, UTC),
        EndTime=datetime.fromtimestamp(now + 43200, UTC),
    )["MetricDataResults"][0]["Values"]
    return found[0] if found else None


def active(aws: Server, table: str) -> dict[str, Any]:
    """The table's description as soon as it is ACTIVE."""
    client = dynamodb(aws)
    return eventually(
        lambda: client.describe_table(TableName=table)["Table"],
        lambda shown: shown["TableStatus"] == "ACTIVE",
    )
