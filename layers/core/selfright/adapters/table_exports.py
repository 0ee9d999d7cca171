"""Full exports of DynamoDB tables into the evidence bucket, and the files that they consist of."""

from __future__ import annotations

import gzip
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from selfright.adapters.aws import Aws, translated
from selfright.backup_ports import StoredExport
from selfright.domain.backup.restore_test import ExportedTable
from selfright.domain.errors import RefusedError

if TYPE_CHECKING:  # isal, xxhash and orjson come with it: only rooms that digest need them
    from selfright.domain.digest import Manifest

PREFIX = "exports"  # the bucket's lifecycle deletes them after a week (template.yaml)
MANIFESTS = ("manifest-summary.json", "manifest-summary.md5", "manifest-files.json", "manifest-files.md5")
CHUNK = 1024 * 1024  # bytes of a data file held at once


class S3TableExports:
    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws, self._bucket = aws, bucket

    def begin(self, table: str, point: datetime | None, token: str) -> ExportedTable:
        client = self._aws.client("dynamodb")
        with translated(f"exporting table {table}", changing=True):
            found = client.describe_table(TableName=table)["Table"]
            export = client.export_table_to_point_in_time(
                TableArn=found["TableArn"],
                S3Bucket=self._bucket,
                S3Prefix=PREFIX,
                ClientToken=token,
                ExportFormat="DYNAMODB_JSON",
                **({} if point is None else {"ExportTime": point}),
            )["ExportDescription"]
        name = export["ExportArn"].rpartition("/")[2]
        return ExportedTable(arn=export["ExportArn"], folder=f"{PREFIX}/AWSDynamoDB/{name}")

    def done(self, export: ExportedTable) -> bool:
        with translated(f"reading export {export.arn}"):
            found = self._aws.client("dynamodb").describe_export(ExportArn=export.arn)["ExportDescription"]
        if found["ExportStatus"] == "FAILED":
            raise RefusedError(f"{found.get('FailureCode', 'unknown')}: {found.get('FailureMessage', '')}")
        return bool(found["ExportStatus"] == "COMPLETED")

    def open(self, export: ExportedTable) -> StoredExport:
        return S3Export(self._aws, self._bucket, export.folder)

    def lose(self, export: ExportedTable, name: str) -> None:
        with translated(f"deleting {name}", changing=True):
            self._aws.client("s3").delete_object(Bucket=self._bucket, Key=f"{export.folder}/{name}")

    def touch(self, export: ExportedTable, name: str) -> None:
        client, where = self._aws.client("s3"), {"Bucket": self._bucket, "Key": f"{export.folder}/{name}"}
        with translated(f"changing {name}", changing=True):
            content = client.get_object(**where)["Body"].read()
            client.put_object(
                **where, Body=content + gzip.compress(b"")
            )  # one more member, with nothing in it


class S3Export:
    """One export in the bucket; `domain.digest.Export` for a comparison."""

    def __init__(self, aws: Aws, bucket: str, folder: str) -> None:
        self._aws, self._bucket, self._folder = aws, bucket, folder

    @cached_property
    def manifest(self) -> Manifest:
        from selfright.domain.digest import read_manifest

        there = [name for name in MANIFESTS if name in self._names]
        return read_manifest({name: b"".join(self._read(name)) for name in there})

    @cached_property
    def present(self) -> Collection[str]:
        return {
            name.removeprefix("data/") for name in self._names if name.startswith("data/") and name != "data/"
        }

    def read(self, part: str) -> Iterator[bytes]:
        return self._read(f"data/{part}")

    @cached_property
    def _names(self) -> frozenset[str]:
        """Everything below the export's folder, by its path in there."""
        with translated(f"listing {self._folder}"):
            pages = (
                self._aws.client("s3")
                .get_paginator("list_objects_v2")
                .paginate(Bucket=self._bucket, Prefix=f"{self._folder}/")
            )
            keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
        return frozenset(key.removeprefix(f"{self._folder}/") for key in keys)

    def _read(self, name: str) -> Iterator[bytes]:
        with translated(f"reading {self._folder}/{name}"):
            body: Any = self._aws.client("s3").get_object(Bucket=self._bucket, Key=f"{self._folder}/{name}")[
                "Body"
            ]
            yield from body.iter_chunks(CHUNK)
