"""A full export in AWS's own layout, as objects of a bucket.

    <prefix>/AWSDynamoDB/<export id>/_started
    <prefix>/AWSDynamoDB/<export id>/manifest-files.json     one JSON object a line, one line a data file
    <prefix>/AWSDynamoDB/<export id>/manifest-summary.json
    <prefix>/AWSDynamoDB/<export id>/manifest-*.md5          of each manifest, in base64
    <prefix>/AWSDynamoDB/<export id>/data/<name>.json.gz     {"Item": ...} a line

One data file for each of the table's partitions, also for an empty one. Source: DynamoDB Developer Guide, "DynamoDB
table export output format"; it calls the checksum files .checksum, listings of real exports show .md5.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

PARTITIONS = 4


@dataclass(frozen=True)
class Export:
    """What the manifest tells of an export; moments in seconds since 1970."""

    arn: str
    table_arn: str
    table_id: str
    moment: float
    began: float
    bucket: str
    prefix: str
    encryption: str
    key_id: str | None

    @property
    def folder(self) -> str:
        """Where the export lies in its bucket, without a slash at the end."""
        name = f"AWSDynamoDB/{self.arn.rpartition('/')[2]}"
        return f"{self.prefix.rstrip('/')}/{name}" if self.prefix else name

    @property
    def manifest_key(self) -> str:
        return f"{self.folder}/manifest-summary.json"


def objects(
    export: Export, items: Iterable[tuple[Any, dict[str, Any]]], size: int, ended: float
) -> Iterator[tuple[str, bytes]]:
    """Key and content of every object, the summary and its checksum last.

    `items`: each with its partition key. `size`: their bytes as DynamoDB counts them.
    """
    parts: list[list[dict[str, Any]]] = [[] for _ in range(PARTITIONS)]
    for partition_key, item in items:
        parts[_partition(export.table_id, partition_key)].append(item)
    lines = []
    for number, part in enumerate(parts):
        text = "".join(json.dumps({"Item": item}, separators=(",", ":")) + "\n" for item in part)
        content = gzip.compress(text.encode(), mtime=0)
        key = f"{export.folder}/data/{_file_name(export.arn, number)}.json.gz"
        yield key, content
        lines.append(
            {
                "itemCount": len(part),
                "md5Checksum": _md5(content).decode(),
                "etag": f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}-1",
                "dataFileS3Key": key,
            }
        )
    files = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
    yield from _with_checksum(f"{export.folder}/manifest-files", files)
    summary = {
        "version": "2020-06-30",
        "exportArn": export.arn,
        "startTime": _iso(export.began),
        "endTime": _iso(ended),
        "tableArn": export.table_arn,
        "tableId": export.table_id,
        "exportTime": _iso(export.moment),
        "s3Bucket": export.bucket,
        "s3Prefix": export.prefix or None,
        "s3SseAlgorithm": export.encryption,
        "s3SseKmsKeyId": export.key_id,
        "manifestFilesS3Key": f"{export.folder}/manifest-files.json",
        "billedSizeBytes": size,
        "itemCount": sum(len(part) for part in parts),
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    }
    yield from _with_checksum(
        f"{export.folder}/manifest-summary", json.dumps(summary, separators=(",", ":")).encode()
    )


def _with_checksum(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield f"{name}.json", content
    yield f"{name}.md5", _md5(content)


def _partition(table_id: str, key: Any) -> int:
    """Which of the table's partitions a key lies in: another one in a copy, whose partitions are its own."""
    return hashlib.sha256(f"{table_id}/{key!r}".encode()).digest()[0] % PARTITIONS


def _file_name(arn: str, number: int) -> str:
    """26 letters and digits, as AWS names them."""
    digest = hashlib.sha256(f"{arn}/{number}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:26]


def _md5(content: bytes) -> bytes:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest())


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
