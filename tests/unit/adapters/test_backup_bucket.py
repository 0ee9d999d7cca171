"""Objects of the backup bucket, lists of other buckets, and exports that are whole or not."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from sandbox.emulator.dynamodb_export_files import Export, objects
from selfright.adapters.aws import Aws
from selfright.adapters.backup_bucket import S3BackupBucket
from selfright.adapters.kept_exports import S3KeptExports
from selfright.adapters.system_state import AwsSystemState
from selfright.domain.backup.catalogue import Tier
from selfright.domain.backup.restore_test import ExportedTable
from selfright.domain.errors import RefusedError, SourceDownError

_names = count(1)
EUROPE = {"LocationConstraint": "eu-central-1"}
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def bucket(aws: Aws) -> str:
    name = f"backups-{next(_names)}"
    aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=EUROPE)
    aws.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


class _Altered:
    """S3, but for what one answer says."""

    def __init__(self, client: Any, operation: str, **changes: Any) -> None:
        self._client, self._operation, self._changes = client, operation, changes

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        return call if name != self._operation else lambda **asked: {**call(**asked), **self._changes}


# -- writing


def test_an_object_is_told_as_it_was_read_back(aws: Aws, bucket: str):
    stored = S3BackupBucket(aws, bucket).put("a/b.json", io.BytesIO(b"{}"), "application/json", Tier.WARM)

    assert (stored.size, stored.sha256) == (2, hashlib.sha256(b"{}").hexdigest())
    assert stored.place.version
    assert S3BackupBucket(aws, bucket).read(stored.place) == b"{}"


def test_an_archive_is_written_to_deep_storage_and_still_read_back_by_its_checksum(aws: Aws, bucket: str):
    stored = S3BackupBucket(aws, bucket).put("archive/x", io.BytesIO(b"x"), "text/plain", Tier.DEEP)

    head = aws.client("s3").head_object(Bucket=bucket, Key="archive/x")
    assert head["StorageClass"] == "DEEP_ARCHIVE"
    assert stored.sha256 == hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    "changes", [{"ContentLength": 1}, {"ChecksumSHA256": "AAAA"}, {"ChecksumSHA256": ""}]
)
def test_an_object_that_is_read_back_otherwise_is_an_error(
    aws: Aws, bucket: str, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(aws._clients, "s3", _Altered(aws.client("s3"), "head_object", **changes))

    with pytest.raises(SourceDownError, match="read back with another size or checksum"):
        S3BackupBucket(aws, bucket).put("a", io.BytesIO(b"{}"), "application/json", Tier.WARM)


# -- listing


def keys(aws: Aws, bucket: str, as_of: datetime) -> list[str | None]:
    found = AwsSystemState(aws, "key").objects(bucket, as_of)
    return [each and each["Key"] for each in found]


def test_an_inventory_holds_what_is_current_with_its_version(aws: Aws, bucket: str):
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket, Key="kept", Body=b"old")
    version = s3.put_object(Bucket=bucket, Key="kept", Body=b"newer")["VersionId"]
    s3.put_object(Bucket=bucket, Key="deleted", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="deleted")

    (found,) = AwsSystemState(aws, "key").objects(bucket, LATER)

    assert found
    assert (found["Key"], found["VersionId"], found["Size"]) == ("kept", version, 5)


def test_what_changes_while_it_is_listed_is_left_out_and_counted(aws: Aws, bucket: str):
    aws.client("s3").put_object(Bucket=bucket, Key="new", Body=b"x")

    assert keys(aws, bucket, datetime.now(UTC) - timedelta(minutes=1)) == [None]


def test_an_object_overwritten_while_it_is_listed_is_there_as_it_was(
    aws: Aws, bucket: str, monkeypatch: pytest.MonkeyPatch
):
    moment = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
    was = {"Key": "a", "VersionId": "1", "ETag": "e", "Size": 1, "LastModified": moment, "IsLatest": False}
    now = {**was, "VersionId": "2", "LastModified": moment + timedelta(seconds=5), "IsLatest": True}
    marker = {"Key": "b", "VersionId": "9", "LastModified": moment + timedelta(seconds=5), "IsLatest": True}
    pages = [{"Versions": [now]}, {"Versions": [was, {**was, "Key": "b"}], "DeleteMarkers": [marker]}]

    class Paged:
        def paginate(self, **_: Any) -> Any:
            return iter(pages)

    s3 = _Altered(aws.client("s3"), "none")
    s3.get_paginator = lambda _: Paged()  # type: ignore[attr-defined]
    monkeypatch.setitem(aws._clients, "s3", s3)

    found = list(AwsSystemState(aws, "key").objects(bucket, moment))

    assert [each and (each["Key"], each["VersionId"]) for each in found] == [
        None,
        ("a", "1"),
        None,
        ("b", "1"),
    ]


def test_a_bucket_without_versions_is_refused(aws: Aws):
    name = f"flat-{next(_names)}"
    aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=EUROPE)

    with pytest.raises(RefusedError, match="has no versions"):
        keys(aws, name, LATER)


# -- exports

ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/export/0123-abcd"
MOMENT = datetime(2026, 11, 22, 1, 25, tzinfo=UTC)


class Exported:
    """An export of three items in the bucket, with the manifest's names for its files."""

    def __init__(self, aws: Aws, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.s3, self.bucket = aws.client("s3"), bucket
        told = Export(ARN, "arn:orders", "id", MOMENT.timestamp(), 0.0, bucket, "system/x", "AES256", None)
        items = [(f"o-{n}", {"pk": {"S": f"o-{n}"}}) for n in range(3)]
        self.files = dict(objects(told, items, 30, MOMENT.timestamp()))
        for key, content in self.files.items():
            self.put(key, content)
        self.export = ExportedTable(arn=ARN, folder=told.folder)
        self.description: dict[str, Any] = {"ExportStatus": "COMPLETED", "ExportTime": MOMENT}
        dynamodb = aws.client("dynamodb")
        answering = _Altered(dynamodb, "none")
        answering.describe_export = lambda **_: {"ExportDescription": self.description}  # type: ignore[attr-defined]
        monkeypatch.setitem(aws._clients, "dynamodb", answering)
        self.exports = S3KeptExports(aws, bucket)

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def data_file(self) -> str:
        return next(key for key in self.files if "/data/" in key)


@pytest.fixture
def exported(aws: Aws, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Exported:
    return Exported(aws, bucket, monkeypatch)


def test_a_whole_export_is_told_by_its_list_of_files(exported: Exported):
    found = exported.exports.stored(exported.export)

    assert found
    assert (found.items, found.as_of) == (3, MOMENT)
    listed = exported.files[f"{exported.export.folder}/manifest-files.json"]
    assert found.manifest.sha256 == hashlib.sha256(listed).hexdigest()
    assert found.size == sum(len(content) for key, content in exported.files.items() if "/data/" in key)


def test_an_export_under_way_is_nothing_yet(exported: Exported):
    exported.description = {"ExportStatus": "IN_PROGRESS"}

    assert exported.exports.stored(exported.export) is None


def test_an_export_that_failed_says_why(exported: Exported):
    exported.description = {
        "ExportStatus": "FAILED",
        "FailureCode": "S3NoSuchBucket",
        "FailureMessage": "gone",
    }

    with pytest.raises(RefusedError, match="S3NoSuchBucket: gone"):
        exported.exports.stored(exported.export)


def test_an_export_without_one_of_its_files_is_not_whole(exported: Exported):
    exported.s3.delete_object(Bucket=exported.bucket, Key=exported.data_file())

    with pytest.raises(RefusedError, match=r"not whole: .* is missing"):
        exported.exports.stored(exported.export)


def test_an_export_with_another_file_under_a_name_is_not_whole(exported: Exported):
    exported.put(exported.data_file(), b"other")

    with pytest.raises(RefusedError, match="is another file"):
        exported.exports.stored(exported.export)


@pytest.mark.parametrize("name", ["manifest-files.json", "manifest-summary.json", "manifest-summary.md5"])
def test_an_export_without_its_manifest_is_not_whole(exported: Exported, name: str):
    exported.s3.delete_object(Bucket=exported.bucket, Key=f"{exported.export.folder}/{name}")

    with pytest.raises(RefusedError, match="not whole"):
        exported.exports.stored(exported.export)


def test_a_changed_manifest_is_not_believed(exported: Exported):
    key = f"{exported.export.folder}/manifest-summary.json"
    exported.put(key, json.dumps({**json.loads(exported.files[key]), "itemCount": 2}).encode())

    with pytest.raises(RefusedError, match="has not the MD5"):
        exported.exports.stored(exported.export)
