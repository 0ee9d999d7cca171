"""Full exports of tables that are kept, and whether one lies in the bucket as its manifest says.

Source: DynamoDB Developer Guide, "DynamoDB table export output format". `data/` is not read again: S3 has the MD5 of
each file in its ETag, and the manifest names both.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.domain.backup.catalogue import Place
from selfright.domain.backup.restore_test import ExportedTable
from selfright.domain.errors import NotFoundError, RefusedError
from selfright.recovery_ports import Stored, StoredExportFiles

FILES, SUMMARY = "manifest-files.json", "manifest-summary.json"


class S3KeptExports:
    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws, self._bucket = aws, bucket

    def begin(self, table: str, folder: str, token: str) -> ExportedTable:
        client = self._aws.client("dynamodb")
        with translated(f"exporting table {table}", changing=True):
            found = client.describe_table(TableName=table)["Table"]
            export = client.export_table_to_point_in_time(
                TableArn=found["TableArn"],
                S3Bucket=self._bucket,
                S3Prefix=folder,
                ClientToken=token,
                ExportFormat="DYNAMODB_JSON",
            )["ExportDescription"]
        name = export["ExportArn"].rpartition("/")[2]
        return ExportedTable(arn=export["ExportArn"], folder=f"{folder}/AWSDynamoDB/{name}")

    def stored(self, export: ExportedTable) -> StoredExportFiles | None:
        with translated(f"reading export {export.arn}"):
            found = self._aws.client("dynamodb").describe_export(ExportArn=export.arn)["ExportDescription"]
        if found["ExportStatus"] == "FAILED":
            raise RefusedError(f"{found.get('FailureCode', 'unknown')}: {found.get('FailureMessage', '')}")
        if found["ExportStatus"] != "COMPLETED":
            return None
        try:
            summary, _ = self._manifest(export, SUMMARY)
            files, manifest = self._manifest(export, FILES)
        except NotFoundError as gone:
            raise RefusedError(f"the export is not whole: {gone}") from gone
        wanted = [json.loads(line) for line in files.splitlines() if line]
        size = self._whole(export, wanted)
        items = sum(each["itemCount"] for each in wanted)
        if items != json.loads(summary)["itemCount"]:
            raise RefusedError(
                f"the export is not whole: its files hold {items} items, its summary counts others"
            )
        return StoredExportFiles(manifest, found["ExportTime"], items, size)

    def _whole(self, export: ExportedTable, wanted: list[dict[str, Any]]) -> int:
        """Bytes of all data files, each there with the ETag that the manifest gives."""
        with translated(f"listing {export.folder}"):
            pages = (
                self._aws.client("s3")
                .get_paginator("list_objects_v2")
                .paginate(Bucket=self._bucket, Prefix=f"{export.folder}/data/")
            )
            there = {
                each["Key"]: (each["ETag"].strip('"'), each["Size"])
                for page in pages
                for each in page.get("Contents", ())
            }
        size = 0
        for each in wanted:
            etag, length = there.get(each["dataFileS3Key"], (None, 0))
            if etag is None:
                raise RefusedError(f"the export is not whole: {each['dataFileS3Key']} is missing")
            if _content(etag) != _content(each["etag"]):
                raise RefusedError(f"the export is not whole: {each['dataFileS3Key']} is another file")
            size += length
        return size

    def _manifest(self, export: ExportedTable, name: str) -> tuple[bytes, Stored]:
        """A manifest that has the MD5 which lies beside it. Raises NotFoundError, RefusedError."""
        key = f"{export.folder}/{name}"
        with translated(f"reading {key}"):
            client = self._aws.client("s3")
            found = client.get_object(Bucket=self._bucket, Key=key)
            content: bytes = found["Body"].read()
            beside = f"{key.removesuffix('.json')}.md5"
            told = client.get_object(Bucket=self._bucket, Key=beside)["Body"].read().decode().strip()
        if told != b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode():
            raise RefusedError(f"the export is not whole: {name} has not the MD5 that lies beside it")
        place = Place(bucket=self._bucket, key=key, version=found.get("VersionId"))
        return content, Stored(place, len(content), hashlib.sha256(content).hexdigest())


def _content(etag: str) -> str:
    """The hash in an ETag, without the number of parts that the object was uploaded in."""
    return etag.partition("-")[0]
