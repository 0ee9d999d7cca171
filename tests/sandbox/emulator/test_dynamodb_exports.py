"""ExportTableToPointInTime: AWS's layout in S3, as of a moment."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sandbox.server import Server
from tests.sandbox.emulator.alarms import unique
from tests.sandbox.emulator.lambda_functions import eventually
from tests.sandbox.emulator.tables import arn, create_on_demand_table, dynamodb, item, refused
from tests.sandbox.emulator.test_dynamodb_backups import moment_between, protect


def bucket(aws: Server) -> str:
    name = unique("exports")
    aws.client("s3").create_bucket(Bucket=name)
    return name


def protected_table(aws: Server) -> str:
    table = create_on_demand_table(aws)
    protect(aws, table)
    return table


def finished(aws: Server, export: str) -> dict[str, Any]:
    """The export's description when it is over."""
    client = dynamodb(aws)
    return eventually(
        lambda: client.describe_export(ExportArn=export)["ExportDescription"],
        lambda shown: shown["ExportStatus"] != "IN_PROGRESS",
    )


def started(aws: Server, table: str, target: str, **request: Any) -> dict[str, Any]:
    shown: dict[str, Any] = dynamodb(aws).export_table_to_point_in_time(
        TableArn=arn(table), S3Bucket=target, **request
    )["ExportDescription"]
    return shown


def objects(aws: Server, target: str) -> dict[str, bytes]:
    client = aws.client("s3")
    keys = [found["Key"] for found in client.list_objects_v2(Bucket=target).get("Contents", ())]
    return {key: client.get_object(Bucket=target, Key=key)["Body"].read() for key in keys}


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def test_an_export_has_the_layout_of_aws(fast_aws: Server):
    # Given a table with 50 items, then one changed and one more after the moment of the export
    client, table, target = dynamodb(fast_aws), protected_table(fast_aws), bucket(fast_aws)
    for number in range(50):
        client.put_item(TableName=table, Item=item(f"key-{number}", kind="first"))
    moment = moment_between(fast_aws)
    client.put_item(TableName=table, Item=item("key-0", kind="second"))
    client.put_item(TableName=table, Item=item("late"))
    # When it is exported
    began = started(
        fast_aws, table, target, ExportTime=datetime.fromtimestamp(moment, UTC), S3Prefix="nightly/one"
    )
    assert began["ExportStatus"] == "IN_PROGRESS"
    shown = finished(fast_aws, began["ExportArn"])
    # Then the manifests say what the data files hold
    assert shown["ExportStatus"] == "COMPLETED"
    assert shown["ItemCount"] == 50
    assert shown["EndTime"] > shown["StartTime"]
    folder = f"nightly/one/AWSDynamoDB/{began['ExportArn'].rpartition('/')[2]}"
    found = objects(fast_aws, target)
    assert found.pop(f"{folder}/_started") == b""
    summary = json.loads(found[f"{folder}/manifest-summary.json"])
    assert shown["ExportManifest"] == f"{folder}/manifest-summary.json"
    assert summary["manifestFilesS3Key"] == f"{folder}/manifest-files.json"
    assert summary["tableArn"] == arn(table)
    assert summary["itemCount"] == 50
    assert summary["exportTime"] == datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert summary["outputFormat"] == "DYNAMODB_JSON"
    for name in ("manifest-summary", "manifest-files"):
        checksum = found.pop(f"{folder}/{name}.md5").decode()
        assert checksum == md5(found[f"{folder}/{name}.json"])
    del found[f"{folder}/manifest-summary.json"]
    lines = [json.loads(line) for line in found.pop(f"{folder}/manifest-files.json").splitlines()]
    assert {line["dataFileS3Key"] for line in lines} == set(found)
    assert len(lines) > 1
    items = {}
    for line in lines:
        content = found[line["dataFileS3Key"]]
        assert line["md5Checksum"] == md5(content)
        held = [json.loads(text)["Item"] for text in gzip.decompress(content).splitlines()]
        assert line["itemCount"] == len(held)
        items |= {each["pk"]["S"]: each["kind"]["S"] for each in held}
    assert items == {f"key-{number}": "first" for number in range(50)}


def test_an_empty_table_is_a_complete_export_of_empty_files(fast_aws: Server):
    table, target = protected_table(fast_aws), bucket(fast_aws)
    shown = finished(fast_aws, started(fast_aws, table, target)["ExportArn"])
    assert shown["ExportStatus"] == "COMPLETED"
    assert shown["ItemCount"] == 0
    data = {key: content for key, content in objects(fast_aws, target).items() if "/data/" in key}
    assert data
    assert {gzip.decompress(content) for content in data.values()} == {b""}


def test_an_export_is_refused_for_its_reason(fast_aws: Server):
    table, bare, target = protected_table(fast_aws), create_on_demand_table(fast_aws), bucket(fast_aws)
    now = fast_aws.now()
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("no-such-table", {}, "TableNotFoundException"),
        (bare, {}, "PointInTimeRecoveryUnavailableException"),
        (table, {"ExportTime": datetime.fromtimestamp(now - 3600, UTC)}, "InvalidExportTimeException"),
        (table, {"ExportTime": datetime.fromtimestamp(now + 3600, UTC)}, "InvalidExportTimeException"),
    ]
    for name, request, code in cases:
        answer = refused(lambda name=name, request=request: started(fast_aws, name, target, **request))
        assert answer["Error"]["Code"] == code
    answer = refused(lambda: dynamodb(fast_aws).describe_export(ExportArn=f"{arn(table)}/export/none"))
    assert answer["Error"]["Code"] == "ExportNotFoundException"
    assert objects(fast_aws, target) == {}


def test_a_bucket_that_is_missing_fails_the_export(fast_aws: Server):
    shown = finished(fast_aws, started(fast_aws, protected_table(fast_aws), "no-such-bucket")["ExportArn"])
    assert shown["ExportStatus"] == "FAILED"
    assert shown["FailureCode"] == "S3NoSuchBucket"


def test_a_client_token_starts_one_export(fast_aws: Server):
    table, target = protected_table(fast_aws), bucket(fast_aws)
    token = unique("token")
    first = started(fast_aws, table, target, ClientToken=token)
    assert started(fast_aws, table, target, ClientToken=token)["ExportArn"] == first["ExportArn"]
    answer = refused(lambda: started(fast_aws, table, target, ClientToken=token, S3Prefix="elsewhere"))
    assert answer["Error"]["Code"] == "ExportConflictException"
    listed = dynamodb(fast_aws).list_exports(TableArn=arn(table))["ExportSummaries"]
    assert [each["ExportArn"] for each in listed] == [first["ExportArn"]]


def test_an_export_outlives_its_table(fast_aws: Server):
    client, table, target = dynamodb(fast_aws), protected_table(fast_aws), bucket(fast_aws)
    client.put_item(TableName=table, Item=item("kept"))
    export = started(fast_aws, table, target)["ExportArn"]
    client.delete_table(TableName=table)
    shown = finished(fast_aws, export)
    assert (shown["ExportStatus"], shown["ItemCount"]) == ("COMPLETED", 1)
