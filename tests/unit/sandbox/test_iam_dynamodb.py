"""Which permissions the local IAM asks for where DynamoDB acts for whoever asks."""

from __future__ import annotations

import json

import pytest

from sandbox.emulator.iam_dynamodb import named, needed

HERE = ("us-east-1", "000000000000")
TABLES = "arn:aws:dynamodb:us-east-1:000000000000:table"


@pytest.mark.parametrize(
    ("asked", "arns"),
    [
        ({"ResourceArn": f"{TABLES}/shop"}, [f"{TABLES}/shop"]),
        ({"ExportArn": f"{TABLES}/shop/export/01-a"}, [f"{TABLES}/shop/export/01-a"]),
        ({"SourceTableName": "shop", "TargetTableName": "copy"}, [f"{TABLES}/shop"]),
        ({"Limit": 5}, []),
    ],
)
def test_what_has_no_table_name_is_known_by_its_arn(asked: dict[str, object], arns: list[str]):
    assert named(json.dumps(asked).encode(), *HERE) == arns


def test_what_is_no_json_names_nothing():
    assert named(b"\xff", *HERE) == named(b"[]", *HERE) == []


def test_a_restore_needs_reading_and_writing_on_its_target():
    asked = json.dumps({"SourceTableName": "shop", "TargetTableName": "copy"}).encode()

    own, *others = needed("dynamodb:RestoreTableToPointInTime", asked, *HERE)

    assert own == ("dynamodb:RestoreTableToPointInTime", f"{TABLES}/shop")
    assert len(others) == 7
    assert ("dynamodb:Scan", f"{TABLES}/copy") in others


def test_an_export_needs_writing_to_its_place_in_the_bucket():
    asked = json.dumps({"TableArn": f"{TABLES}/shop", "S3Bucket": "b", "S3Prefix": "exports"}).encode()

    own, *others = needed("dynamodb:ExportTableToPointInTime", asked, *HERE)

    assert own == ("dynamodb:ExportTableToPointInTime", f"{TABLES}/shop")
    assert ("s3:PutObject", "arn:aws:s3:::b/exports/AWSDynamoDB/*") in others


def test_any_other_request_needs_its_own_permission_alone():
    assert needed("dynamodb:TagResource", json.dumps({"ResourceArn": f"{TABLES}/shop"}).encode(), *HERE) == []
