"""Restores, settings and exports as DynamoDB is asked for them."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from selfright.adapters.aws import Aws
from selfright.adapters.part_results import S3PartResults
from selfright.adapters.restore_tests import DynamoDBCopiedItems, DynamoDBRestoreTests, S3EvidenceBucket
from selfright.adapters.table_backups import DynamoDBTableBackups
from selfright.adapters.table_exports import S3TableExports
from selfright.adapters.workflows import StepFunctionsExecutions
from selfright.domain.backup.restore_test import ExportedTable
from selfright.domain.backup.settings import differing
from selfright.domain.backup.steps import StoredList, VerifyBackupInput
from selfright.domain.backup.verdict import Verdict
from selfright.domain.errors import (
    BusyError,
    ConflictError,
    NotFoundError,
    RefusedError,
    SourceDownError,
)
from tests.fakes.backups import FakeExport
from tests.unit.adapters.conftest import Stubbed
from tests.unit.backup.builders import a_test
from tests.unit.backup.test_history import measured

POINT = datetime(2026, 11, 23, 2, 55, tzinfo=UTC)
COPY = "selfright-restore-rt-0123456789ab-orders"
ARN = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{COPY}"
_numbers = count(1)


def make_table(aws: Aws, name: str, **settings: Any) -> str:
    given = {
        "KeySchema": [
            {"AttributeName": "order_id", "KeyType": "HASH"},
            {"AttributeName": "line", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "order_id", "AttributeType": "S"},
            {"AttributeName": "line", "AttributeType": "N"},
            {"AttributeName": "state", "AttributeType": "S"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-state",
                "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["total", "paid"]},
            }
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }
    name = f"{name}-{next(_numbers)}"
    aws.client("dynamodb").create_table(TableName=name, **given | settings)
    return name


# -- settings


def test_settings_are_read_as_people_would_write_them(aws: Aws):
    client = aws.client("dynamodb")
    table = make_table(
        aws,
        "backed-up",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        Tags=[{"Key": "team", "Value": "blue"}],
        DeletionProtectionEnabled=True,
    )
    client.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )

    found = DynamoDBTableBackups(aws).settings(table)

    assert found.keys == ("order_id S HASH", "line N RANGE")
    assert found.key_names == ("order_id", "line")
    assert DynamoDBTableBackups(aws).keys(table) == found.keys
    assert found.indexes == {"by-state": "global: state S HASH; INCLUDE paid, total; 0/0"}
    assert (found.billing_mode, found.read_units, found.write_units) == ("PAY_PER_REQUEST", None, None)
    assert found.time_to_live == "expires"
    assert found.stream == "NEW_IMAGE"
    assert found.tags == {"team": "blue"}
    assert found.deletion_protection is True
    assert found.point_in_time_recovery_days is None
    assert found.table_class == "STANDARD"
    assert found.encryption == "AWS_OWNED"
    assert found.autoscaling == {}
    assert found.resource_policy is None


def test_what_a_restore_drops_is_put_back_and_may_be_put_back_again(aws: Aws):
    backups, client = DynamoDBTableBackups(aws), aws.client("dynamodb")
    source = make_table(
        aws,
        "backed-up",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        Tags=[{"Key": "team", "Value": "blue"}],
        DeletionProtectionEnabled=True,
    )
    client.update_time_to_live(
        TableName=source, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    arn = client.describe_table(TableName=source)["Table"]["TableArn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Resource": arn}]}
    client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy))
    copy = make_table(aws, COPY)
    wanted = backups.settings(source)
    assert set(differing(wanted, backups.settings(copy))) == {
        "resource_policy",
        "time_to_live",
        "stream",
        "tags",
        "deletion_protection",
    }

    for _ in range(2):
        backups.put_back(copy, wanted)

    assert differing(wanted, backups.settings(copy)) == {}
    ours = client.describe_table(TableName=copy)["Table"]["TableArn"]
    put = json.loads(client.get_resource_policy(ResourceArn=ours)["Policy"])
    assert put["Statement"][0]["Resource"] == ours


def test_a_table_that_is_gone_is_not_found(aws: Aws):
    backups = DynamoDBTableBackups(aws)
    for ask in (backups.settings, backups.ready):
        with pytest.raises(NotFoundError):
            ask("no-such-table")


# -- restoring


def recovery(status: str, **more: Any) -> dict[str, Any]:
    described = {"PointInTimeRecoveryStatus": status, **more}
    return {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": described,
        }
    }


def test_the_window_is_aws_s_own_word(stubbed: Stubbed):
    stubbed.answer(
        "dynamodb",
        "describe_continuous_backups",
        recovery(
            "ENABLED",
            EarliestRestorableDateTime=POINT.replace(month=10),
            LatestRestorableDateTime=POINT,
            RecoveryPeriodInDays=35,
        ),
        TableName="orders",
    )
    stubbed.answer("dynamodb", "describe_continuous_backups", recovery("DISABLED"), TableName="orders")
    backups = DynamoDBTableBackups(stubbed.aws)

    window = backups.window("orders")

    assert window is not None
    assert (window.latest, window.days) == (POINT, 35)
    assert backups.window("orders") is None


def test_a_restore_names_its_moment(stubbed: Stubbed):
    stubbed.answer(
        "dynamodb",
        "restore_table_to_point_in_time",
        {},
        SourceTableName="orders",
        TargetTableName=COPY,
        RestoreDateTime=POINT,
    )
    DynamoDBTableBackups(stubbed.aws).restore("orders", COPY, POINT)


@pytest.mark.parametrize("code", ["TableAlreadyExistsException", "TableInUseException"])
def test_a_restore_that_was_begun_before_goes_on(stubbed: Stubbed, code: str):
    stubbed.refuse("dynamodb", "restore_table_to_point_in_time", code)
    DynamoDBTableBackups(stubbed.aws).restore("orders", COPY, POINT)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("PointInTimeRecoveryUnavailableException", RefusedError),
        ("InvalidRestoreTimeException", RefusedError),
        ("LimitExceededException", RefusedError),
        ("AccessDeniedException", RefusedError),
        ("TableNotFoundException", NotFoundError),
        ("InternalServerError", SourceDownError),
    ],
)
def test_why_a_restore_cannot_be_is_told(stubbed: Stubbed, code: str, error: type[Exception]):
    stubbed.refuse("dynamodb", "restore_table_to_point_in_time", code)
    with pytest.raises(error, match="restoring table orders"):
        DynamoDBTableBackups(stubbed.aws).restore("orders", COPY, POINT)


def test_a_copy_whose_backups_are_being_set_up_is_busy(stubbed: Stubbed):
    stubbed.answer("dynamodb", "describe_table", {"Table": {"TableArn": ARN}}, TableName=COPY)
    tags = [{"Key": "selfright:restore-test", "Value": "rt-0123456789ab"}]
    stubbed.answer("dynamodb", "tag_resource", {}, ResourceArn=ARN, Tags=tags)
    stubbed.refuse("dynamodb", "update_continuous_backups", "ContinuousBackupsUnavailableException")
    with pytest.raises(BusyError):
        DynamoDBTableBackups(stubbed.aws).mark(COPY, "rt-0123456789ab")


# -- deleting


def described(status: str, protected: bool = False) -> dict[str, Any]:
    return {"Table": {"TableStatus": status, "DeletionProtectionEnabled": protected}}


def test_a_copy_is_deleted_with_its_protection_and_then_gone(aws: Aws):
    copy, backups = make_table(aws, COPY, DeletionProtectionEnabled=True), DynamoDBTableBackups(aws)
    assert copy in backups.copies()
    for _ in range(3):
        backups.delete(copy)
    assert backups.delete(copy)
    assert copy not in backups.copies()


@pytest.mark.parametrize("status", ["CREATING", "DELETING", "UPDATING"])
def test_a_copy_that_cannot_be_deleted_yet_is_waited_for(stubbed: Stubbed, status: str):
    stubbed.answer("dynamodb", "describe_table", described(status), TableName=COPY)
    assert not DynamoDBTableBackups(stubbed.aws).delete(COPY)


def test_a_copy_whose_protection_is_still_being_lifted_is_waited_for(stubbed: Stubbed):
    stubbed.answer("dynamodb", "describe_table", described("ACTIVE", protected=True), TableName=COPY)
    stubbed.answer("dynamodb", "update_table", {}, TableName=COPY, DeletionProtectionEnabled=False)
    stubbed.refuse("dynamodb", "delete_table", "ResourceInUseException")
    assert not DynamoDBTableBackups(stubbed.aws).delete(COPY)


def test_nothing_but_a_copy_is_ever_deleted_or_written_to(aws: Aws):
    table, items = make_table(aws, "backed-up"), DynamoDBCopiedItems(aws)
    item = {"order_id": {"S": "o-1"}, "line": {"N": "1"}}
    for change in (
        lambda: DynamoDBTableBackups(aws).delete(table),
        lambda: items.put(table, item),
        lambda: items.remove(table, item),
    ):
        with pytest.raises(ValueError, match="no copy of ours"):
            change()
    assert aws.client("dynamodb").describe_table(TableName=table)["Table"]["ItemCount"] == 0


# -- exports


def test_an_export_names_its_moment_and_its_token_and_lies_below_its_id(stubbed: Stubbed):
    stubbed.answer("dynamodb", "describe_table", {"Table": {"TableArn": ARN}}, TableName=COPY)
    stubbed.answer(
        "dynamodb",
        "export_table_to_point_in_time",
        {"ExportDescription": {"ExportArn": f"{ARN}/export/0123-abc"}},
        TableArn=ARN,
        S3Bucket="bucket",
        S3Prefix="exports",
        ClientToken="rt-source",
        ExportFormat="DYNAMODB_JSON",
        ExportTime=POINT,
    )
    found = S3TableExports(stubbed.aws, "bucket").begin(COPY, POINT, "rt-source")
    assert found == ExportedTable(arn=f"{ARN}/export/0123-abc", folder="exports/AWSDynamoDB/0123-abc")


@pytest.mark.parametrize(("status", "done"), [("IN_PROGRESS", False), ("COMPLETED", True)])
def test_how_an_export_goes(stubbed: Stubbed, status: str, done: bool):
    export = ExportedTable(arn=f"{ARN}/export/0123-abc", folder="f")
    stubbed.answer(
        "dynamodb", "describe_export", {"ExportDescription": {"ExportStatus": status}}, ExportArn=export.arn
    )
    assert S3TableExports(stubbed.aws, "bucket").done(export) is done


def test_an_export_that_failed_says_why(stubbed: Stubbed):
    export = ExportedTable(arn=f"{ARN}/export/0123-abc", folder="f")
    failed = {"ExportStatus": "FAILED", "FailureCode": "S3NoSuchBucket", "FailureMessage": "no bucket"}
    stubbed.answer("dynamodb", "describe_export", {"ExportDescription": failed}, ExportArn=export.arn)
    with pytest.raises(RefusedError, match="S3NoSuchBucket: no bucket"):
        S3TableExports(stubbed.aws, "bucket").done(export)


@pytest.fixture
def bucket(aws: Aws) -> str:
    name = f"evidence-{next(_numbers)}"
    where = {"LocationConstraint": "eu-central-1"}
    aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
    return name


def test_an_export_is_read_from_its_folder_and_from_no_other(aws: Aws, bucket: str):
    items = [{"pk": {"S": f"o-{number}"}} for number in range(20)]
    written = FakeExport("orders", items, POINT)
    put = aws.client("s3").put_object
    for folder in ("exports/AWSDynamoDB/01", "exports/AWSDynamoDB/012"):
        put(Bucket=bucket, Key=f"{folder}/_started", Body=b"")
        for name, content in written.manifests.items():
            put(Bucket=bucket, Key=f"{folder}/{name}", Body=content)
        for name, content in written.files.items():
            put(Bucket=bucket, Key=f"{folder}/data/{name}", Body=content)
    exports = S3TableExports(aws, bucket)
    export = ExportedTable(arn="arn", folder="exports/AWSDynamoDB/01")

    found = exports.open(export)

    assert not found.manifest.problems
    assert set(found.present) == set(written.files)
    lines = [
        line
        for part in found.manifest.parts
        for line in gzip.decompress(b"".join(found.read(part.name))).splitlines()
    ]
    assert sorted(json.loads(line)["Item"]["pk"]["S"] for line in lines) == sorted(
        f"o-{number}" for number in range(20)
    )
    # a file is lost here and not next door
    first, lost = sorted(written.files)[:2]
    exports.lose(export, f"data/{lost}")
    assert set(exports.open(export).present) == set(written.files) - {lost}
    exports.touch(export, f"data/{first}")
    changed = b"".join(exports.open(export).read(first))
    assert changed != written.files[first]
    assert gzip.decompress(changed) == gzip.decompress(written.files[first])
    other = ExportedTable(arn="arn", folder="exports/AWSDynamoDB/012")
    assert set(exports.open(other).present) == set(written.files)


def test_an_export_that_is_not_there_has_a_problem(aws: Aws, bucket: str):
    found = S3TableExports(aws, bucket).open(ExportedTable(arn="arn", folder="exports/AWSDynamoDB/02"))
    assert {problem.kind for problem in found.manifest.problems} == {"manifest_missing"}


# -- tests and evidence


def test_a_test_is_kept_and_its_end_is_linked_once(aws: Aws, table: str):
    tests = DynamoDBRestoreTests(aws, table)
    assert tests.find("rt-0123456789ab") is None
    assert tests.newest_hash("shop", "production") is None
    test = a_test()
    tests.save(test)
    assert tests.find(test.id) == test

    first = test.model_copy(update={"verdict": Verdict.PASS})
    tests.conclude(first, measured(1), None, "a" * 64)
    assert tests.find(test.id) == first
    assert tests.newest_hash("shop", "production") == "a" * 64

    # Then whoever has not seen that link neither links nor saves
    late = test.model_copy(update={"verdict": Verdict.FAIL})
    for stale in (None, "b" * 64):
        with pytest.raises(ConflictError):
            tests.conclude(late, measured(2), stale, "c" * 64)
    assert tests.find(test.id) == first
    assert tests.history("shop", "production", "orders", 10) == [measured(1)]
    tests.conclude(late, None, "a" * 64, "c" * 64)  # a drill, which is no part of the history
    assert tests.newest_hash("shop", "production") == "c" * 64
    tests.conclude(first, measured(3), "c" * 64, "d" * 64)
    assert tests.history("shop", "production", "orders", 10) == [measured(3), measured(1)]
    assert tests.history("shop", "production", "orders", 1) == [measured(3)]
    assert tests.history("shop", "production", "order", 10) == []


def test_evidence_is_written_with_its_type(aws: Aws, bucket: str):
    S3EvidenceBucket(aws, bucket).write("evidence/one.html", "<p>ü</p>", "text/html; charset=utf-8")
    found = aws.client("s3").get_object(Bucket=bucket, Key="evidence/one.html")
    assert found["Body"].read().decode() == "<p>ü</p>"
    assert found["ContentType"] == "text/html; charset=utf-8"


def test_what_a_part_came_to_is_kept_once_and_missed_where_it_is_not(aws: Aws, bucket: str):
    results = S3PartResults(aws, bucket)
    for document in ({"result": 1}, {"result": 2}):
        where = results.write("exports/readings/rt-1/1/copy/part.json", document)
    assert where == StoredList(bucket=bucket, key="exports/readings/rt-1/1/copy/part.json")
    assert results.read(where.key) == {"result": 2}
    with pytest.raises(NotFoundError):
        results.read("exports/readings/rt-1/1/copy/another.json")


# -- executions

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:verify-backup"


def test_a_restore_test_is_started_once(stubbed: Stubbed):
    asked = VerifyBackupInput(workload="shop", table="orders")
    executions = StepFunctionsExecutions(stubbed.aws, MACHINE)
    started = {"executionArn": "arn", "startDate": POINT}
    stubbed.answer(
        "stepfunctions",
        "start_execution",
        started,
        stateMachineArn=MACHINE,
        name="n",
        input='{"workload":"shop","table":"orders","plant":null}',
    )
    stubbed.refuse("stepfunctions", "start_execution", "ExecutionAlreadyExists")
    for _ in range(2):
        executions.start("n", asked)


@pytest.mark.parametrize(
    ("status", "running"), [("RUNNING", True), ("ABORTED", False), ("SUCCEEDED", False), (None, False)]
)
def test_what_runs(stubbed: Stubbed, status: str | None, running: bool):
    if status is None:
        stubbed.refuse("stepfunctions", "describe_execution", "ExecutionDoesNotExist")
    else:
        described = {"executionArn": "arn", "stateMachineArn": MACHINE, "startDate": POINT, "status": status}
        stubbed.answer("stepfunctions", "describe_execution", described, executionArn="arn")
    assert StepFunctionsExecutions(stubbed.aws, MACHINE).running("arn") is running
