"""Point-in-time recovery: the window, what a restore brings back, and what it does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.server import Server
from tests.sandbox.emulator.alarms import unique
from tests.sandbox.emulator.lambda_functions import eventually
from tests.sandbox.emulator.tables import (
    active,
    arn,
    create_on_demand_table,
    create_table,
    dynamodb,
    item,
    refused,
)

LAG = 300


def protect(aws: Server, table: str, **settings: int) -> None:
    dynamodb(aws).update_continuous_backups(
        TableName=table,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, **settings},
    )


def window(aws: Server, table: str) -> dict[str, Any]:
    shown = dynamodb(aws).describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery: dict[str, Any] = shown["PointInTimeRecoveryDescription"]
    return recovery


def restorable(aws: Server, table: str, moment: float) -> None:
    """Wait until the window has come as far as `moment`."""
    eventually(
        lambda: window(aws, table),
        lambda shown: shown["LatestRestorableDateTime"].timestamp() >= moment,
    )


def moment_between(aws: Server) -> float:
    """A whole second that lies well after what was done before, and well before what comes next."""
    began = aws.now()
    eventually(aws.now, lambda now: now > began + 5)
    moment = float(int(aws.now()))
    eventually(aws.now, lambda now: now > moment + 5)
    return moment


def restore(aws: Server, source: str, moment: float | None = None, **overrides: Any) -> str:
    name = unique("restored")
    when: dict[str, Any] = (
        {"UseLatestRestorableTime": True}
        if moment is None
        else {"RestoreDateTime": datetime.fromtimestamp(moment, UTC)}
    )
    dynamodb(aws).restore_table_to_point_in_time(
        SourceTableName=source, TargetTableName=name, **when, **overrides
    )
    return name


def contents(aws: Server, table: str) -> dict[str, str]:
    """`kind` by key."""
    found = dynamodb(aws).scan(TableName=table, ConsistentRead=True)["Items"]
    return {each["pk"]["S"]: each.get("kind", {}).get("S", "") for each in found}


def test_the_window_ends_five_minutes_ago_and_begins_when_recovery_was_switched_on(fast_aws: Server):
    table = create_on_demand_table(fast_aws)
    assert window(fast_aws, table) == {"PointInTimeRecoveryStatus": "DISABLED"}
    before = fast_aws.now()
    protect(fast_aws, table)
    # Then at first there is one moment to go back to
    shown = window(fast_aws, table)
    assert shown["RecoveryPeriodInDays"] == 35
    began = shown["EarliestRestorableDateTime"]
    assert before - 1 <= began.timestamp() <= fast_aws.now()
    assert shown["LatestRestorableDateTime"] == began
    # And later the window is open, up to its lag
    restorable(fast_aws, table, before + 60)
    shown = window(fast_aws, table)
    assert shown["EarliestRestorableDateTime"] == began
    assert fast_aws.now() - shown["LatestRestorableDateTime"].timestamp() >= LAG


def test_the_recovery_period_is_1_to_35_days(aws: Server):
    table = create_on_demand_table(aws)
    protect(aws, table, RecoveryPeriodInDays=1)
    assert window(aws, table)["RecoveryPeriodInDays"] == 1
    unchecked = aws.client("dynamodb", parameter_validation=False)  # botocore would refuse them by itself
    for days in (0, 36):
        asked = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": days}
        answer = refused(
            lambda asked=asked: unchecked.update_continuous_backups(
                TableName=table, PointInTimeRecoverySpecification=asked
            )
        )
        assert answer["Error"]["Code"] == "ValidationException"
    assert window(aws, table)["RecoveryPeriodInDays"] == 1


def test_a_restore_is_as_of_its_moment(fast_aws: Server):
    # Given a table whose items were stored, changed and deleted before and after a moment
    client, table = dynamodb(fast_aws), create_on_demand_table(fast_aws)
    client.put_item(TableName=table, Item=item("before-the-log", kind="old"))
    protect(fast_aws, table)
    client.put_item(TableName=table, Item=item("stays", kind="first"))
    client.put_item(TableName=table, Item=item("changes", kind="first"))
    client.put_item(TableName=table, Item=item("goes", kind="first"))
    moment = moment_between(fast_aws)
    client.put_item(TableName=table, Item=item("comes", kind="second"))
    client.update_item(
        TableName=table,
        Key={"pk": {"S": "changes"}},
        UpdateExpression="SET kind = :kind",
        ExpressionAttributeValues={":kind": {"S": "second"}},
    )
    client.delete_item(TableName=table, Key={"pk": {"S": "goes"}})
    restorable(fast_aws, table, moment)
    # When it is restored as of that moment
    name = restore(fast_aws, table, moment)
    active(fast_aws, name)
    # Then the copy holds what the table held then, and the table what it holds now
    assert contents(fast_aws, name) == {
        "before-the-log": "old",
        "stays": "first",
        "changes": "first",
        "goes": "first",
    }
    assert contents(fast_aws, table) == {
        "before-the-log": "old",
        "stays": "first",
        "changes": "second",
        "comes": "second",
    }


def test_a_transaction_that_failed_leaves_no_trace_in_the_past(fast_aws: Server):
    client, table = dynamodb(fast_aws), create_on_demand_table(fast_aws)
    protect(fast_aws, table)
    client.put_item(TableName=table, Item=item("taken"))
    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.execute_transaction(
            TransactStatements=[
                {"Statement": f"INSERT INTO \"{table}\" VALUE {{'pk': '{key}'}}"} for key in ("new", "taken")
            ]
        )
    restorable(fast_aws, table, fast_aws.now())
    name = restore(fast_aws, table)
    active(fast_aws, name)
    assert contents(fast_aws, name) == {"taken": ""}


def test_the_new_table_takes_its_time_and_cannot_be_touched_meanwhile(fast_aws: Server):
    client, table = dynamodb(fast_aws), create_on_demand_table(fast_aws)
    protect(fast_aws, table)
    began = fast_aws.now()
    name = restore(fast_aws, table)
    shown = client.describe_table(TableName=name)["Table"]
    assert shown["TableStatus"] == "CREATING"
    assert shown["RestoreSummary"]["SourceTableArn"] == arn(table)
    assert shown["RestoreSummary"]["RestoreInProgress"] is True
    ttl = {"Enabled": True, "AttributeName": "expires"}
    recovery = {"PointInTimeRecoveryEnabled": True}
    codes = {
        "ResourceNotFoundException": [
            lambda: client.scan(TableName=name),
            lambda: client.put_item(TableName=name, Item=item("x")),
            lambda: client.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": item("x")}}]}),
            lambda: client.transact_write_items(
                TransactItems=[{"Put": {"TableName": name, "Item": item("x")}}]
            ),
        ],
        "ResourceInUseException": [
            lambda: client.delete_table(TableName=name),
            lambda: client.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl),
        ],
        "ContinuousBackupsUnavailableException": [
            lambda: client.update_continuous_backups(
                TableName=name, PointInTimeRecoverySpecification=recovery
            )
        ],
        "TableInUseException": [
            lambda: client.restore_table_to_point_in_time(
                SourceTableName=table, TargetTableName=name, UseLatestRestorableTime=True
            )
        ],
    }
    for code, calls in codes.items():
        for call in calls:
            assert refused(call)["Error"]["Code"] == code
    # Then it is there, and can be deleted
    shown = active(fast_aws, name)
    assert fast_aws.now() - began >= 120
    assert shown["RestoreSummary"]["RestoreInProgress"] is False
    client.delete_table(TableName=name)


def test_a_restore_is_refused_for_its_reason(fast_aws: Server):
    client, table, bare = (
        dynamodb(fast_aws),
        create_on_demand_table(fast_aws),
        create_on_demand_table(fast_aws),
    )
    protect(fast_aws, table)
    now = fast_aws.now()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"SourceTableName": "no-such-table", "UseLatestRestorableTime": True}, "TableNotFoundException"),
        (
            {"SourceTableName": bare, "UseLatestRestorableTime": True},
            "PointInTimeRecoveryUnavailableException",
        ),
        (
            {"SourceTableName": table, "UseLatestRestorableTime": True, "TargetTableName": bare},
            "TableAlreadyExistsException",
        ),
        (
            {"SourceTableName": table, "RestoreDateTime": datetime.fromtimestamp(now - 3600, UTC)},
            "InvalidRestoreTimeException",
        ),
        (
            {"SourceTableName": table, "RestoreDateTime": datetime.fromtimestamp(now + 3600, UTC)},
            "InvalidRestoreTimeException",
        ),
        ({"SourceTableName": table}, "ValidationException"),
    ]
    for request, code in cases:
        given = {"TargetTableName": unique("restored"), **request}
        answer = refused(lambda given=given: client.restore_table_to_point_in_time(**given))
        assert answer["Error"]["Code"] == code, request
        if code != "TableAlreadyExistsException":
            assert given["TargetTableName"] not in client.list_tables()["TableNames"]


def test_recovery_switched_off_and_on_again_begins_anew(aws: Server):
    table, client = create_on_demand_table(aws), dynamodb(aws)
    protect(aws, table)
    first = window(aws, table)["EarliestRestorableDateTime"]
    client.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    eventually(aws.now, lambda now: now > first.timestamp() + 2)
    protect(aws, table)
    assert window(aws, table)["EarliestRestorableDateTime"] > first


def test_a_restore_leaves_settings_behind(fast_aws: Server):
    client = dynamodb(fast_aws)
    # Given a table with everything set
    table = create_table(fast_aws, read=7, write=9, index=3)
    client.update_table(
        TableName=table,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        DeletionProtectionEnabled=True,
        TableClass="STANDARD_INFREQUENT_ACCESS",
    )
    client.tag_resource(ResourceArn=arn(table), Tags=[{"Key": "team", "Value": "blue"}])
    client.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    protect(fast_aws, table)
    # When it is restored
    name = restore(fast_aws, table)
    shown = active(fast_aws, name)
    # Then keys, indexes and capacity are there
    source = client.describe_table(TableName=table)["Table"]
    assert shown["KeySchema"] == source["KeySchema"]
    assert [index["IndexName"] for index in shown["GlobalSecondaryIndexes"]] == ["by-kind"]
    assert shown["ProvisionedThroughput"]["ReadCapacityUnits"] == 7
    assert shown["ProvisionedThroughput"]["WriteCapacityUnits"] == 9
    # And the rest is not
    assert "StreamSpecification" not in shown
    assert "TableClassSummary" not in shown
    assert shown["DeletionProtectionEnabled"] is False
    assert client.list_tags_of_resource(ResourceArn=arn(name))["Tags"] == []
    ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "DISABLED"
    assert window(fast_aws, name)["PointInTimeRecoveryStatus"] == "DISABLED"


def test_a_restore_can_override_billing_indexes_and_encryption(fast_aws: Server):
    table = create_table(fast_aws, index=3)
    protect(fast_aws, table)
    on_demand = restore(
        fast_aws,
        table,
        BillingModeOverride="PAY_PER_REQUEST",
        GlobalSecondaryIndexOverride=[],
        SSESpecificationOverride={"Enabled": True, "SSEType": "KMS"},
    )
    provisioned = restore(
        fast_aws,
        table,
        ProvisionedThroughputOverride={"ReadCapacityUnits": 2, "WriteCapacityUnits": 4},
    )
    shown = active(fast_aws, on_demand)
    assert shown["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert "GlobalSecondaryIndexes" not in shown
    assert shown["SSEDescription"]["Status"] == "ENABLED"
    assert active(fast_aws, provisioned)["ProvisionedThroughput"]["WriteCapacityUnits"] == 4


def test_a_backup_on_demand_restores_what_it_held(fast_aws: Server):
    client, table = dynamodb(fast_aws), create_on_demand_table(fast_aws)
    client.put_item(TableName=table, Item=item("kept", kind="first"))
    backup = client.create_backup(TableName=table, BackupName="by-hand")["BackupDetails"]["BackupArn"]
    client.put_item(TableName=table, Item=item("kept", kind="second"))
    name = unique("restored")
    client.restore_table_from_backup(TargetTableName=name, BackupArn=backup)
    assert client.describe_table(TableName=name)["Table"]["TableStatus"] == "CREATING"
    shown = active(fast_aws, name)
    assert shown["RestoreSummary"]["SourceBackupArn"] == backup
    assert contents(fast_aws, name) == {"kept": "first"}
