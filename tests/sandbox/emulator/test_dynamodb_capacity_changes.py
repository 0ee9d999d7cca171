"""UpdateTable: asynchronous, one at a time, with dates and quotas."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.server import Server
from tests.sandbox.emulator.tables import (
    active,
    create_on_demand_table,
    create_table,
    dynamodb,
    refused,
)


def provision(aws: Server, table: str, write: int, read: int = 100) -> dict[str, Any]:
    throughput = {"ReadCapacityUnits": read, "WriteCapacityUnits": write}
    shown: dict[str, Any] = dynamodb(aws).update_table(TableName=table, ProvisionedThroughput=throughput)[
        "TableDescription"
    ]
    return shown


def test_new_capacity_is_in_force_when_the_table_is_active_again(fast_aws: Server):
    table = create_table(fast_aws, write=5)
    before = fast_aws.now()
    # When capacity is raised, then the table is UPDATING with its old capacity
    updating = provision(fast_aws, table, write=50)
    assert updating["TableStatus"] == "UPDATING"
    assert updating["ProvisionedThroughput"]["WriteCapacityUnits"] == 5
    # And another update is refused until it is ACTIVE
    answer = refused(lambda: provision(fast_aws, table, write=60))
    assert answer["Error"]["Code"] == "ResourceInUseException"
    shown = active(fast_aws, table)
    assert fast_aws.now() - before >= 30
    assert shown["ProvisionedThroughput"]["WriteCapacityUnits"] == 50
    assert before <= shown["ProvisionedThroughput"]["LastIncreaseDateTime"].timestamp() <= fast_aws.now()
    assert "LastDecreaseDateTime" not in shown["ProvisionedThroughput"]
    assert shown["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 0


def test_other_updates_stay_as_quick_as_they_were(aws: Server):
    table = create_table(aws)
    shown = dynamodb(aws).update_table(TableName=table, DeletionProtectionEnabled=True)["TableDescription"]
    assert shown["TableStatus"] == "ACTIVE"
    assert shown["DeletionProtectionEnabled"] is True


def test_decreases_are_limited_within_a_utc_day(fast_aws: Server):
    table = create_table(fast_aws, write=100)
    day = datetime.fromtimestamp(fast_aws.now(), UTC).date()
    for write in (90, 80, 70, 60):
        provision(fast_aws, table, write)
        shown = active(fast_aws, table)
    if datetime.fromtimestamp(fast_aws.now() + 60, UTC).date() != day:
        pytest.skip("midnight in the sandbox: the count began anew")
    assert shown["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 4
    assert "LastDecreaseDateTime" in shown["ProvisionedThroughput"]
    # Then a fifth has to wait for an hour, and an increase does not
    answer = refused(lambda: provision(fast_aws, table, write=50))
    assert answer["Error"]["Code"] == "LimitExceededException"
    assert "Number of decreases today: 4" in answer["Error"]["Message"]
    provision(fast_aws, table, write=200)
    assert active(fast_aws, table)["ProvisionedThroughput"]["WriteCapacityUnits"] == 200


def test_on_demand_and_back_four_times_a_day(fast_aws: Server):
    client, table = dynamodb(fast_aws), create_table(fast_aws, write=5)
    throughput = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    for _ in range(4):
        client.update_table(TableName=table, BillingMode="PAY_PER_REQUEST")
        on_demand = active(fast_aws, table)
        client.update_table(TableName=table, BillingMode="PROVISIONED", ProvisionedThroughput=throughput)
        provisioned = active(fast_aws, table)
    assert on_demand["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert on_demand["ProvisionedThroughput"]["WriteCapacityUnits"] == 0
    summary = provisioned["BillingModeSummary"]
    assert summary["BillingMode"] == "PROVISIONED"
    # the date is still that of the switch to on-demand
    assert (
        summary["LastUpdateToPayPerRequestDateTime"]
        == on_demand["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"]
    )
    answer = refused(lambda: client.update_table(TableName=table, BillingMode="PAY_PER_REQUEST"))
    assert answer["Error"]["Code"] == "LimitExceededException"


def test_a_table_made_anew_has_the_quotas_of_a_new_one(fast_aws: Server):
    client, table = dynamodb(fast_aws), create_table(fast_aws, write=100)
    for write in (90, 80, 70, 60):
        provision(fast_aws, table, write)
        shape = active(fast_aws, table)

    client.delete_table(TableName=table)
    client.create_table(
        **{name: shape[name] for name in ("TableName", "KeySchema", "AttributeDefinitions")},
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 100},
    )

    provision(fast_aws, table, write=50)
    assert active(fast_aws, table)["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 1


def test_leaving_on_demand_needs_capacity(aws: Server):
    table, client = create_on_demand_table(aws), dynamodb(aws)
    answer = refused(lambda: client.update_table(TableName=table, BillingMode="PROVISIONED"))
    assert answer["Error"]["Code"] == "ValidationException"
    assert client.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"


def test_an_index_is_updated_like_its_table(fast_aws: Server):
    table, client = create_table(fast_aws, write=5, index=5), dynamodb(fast_aws)
    update = {
        "IndexName": "by-kind",
        "ProvisionedThroughput": {"ReadCapacityUnits": 100, "WriteCapacityUnits": 8},
    }
    shown = client.update_table(TableName=table, GlobalSecondaryIndexUpdates=[{"Update": update}])[
        "TableDescription"
    ]
    assert shown["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["WriteCapacityUnits"] == 5
    index = active(fast_aws, table)["GlobalSecondaryIndexes"][0]
    assert index["ProvisionedThroughput"]["WriteCapacityUnits"] == 8
