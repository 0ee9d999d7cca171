"""ExportTableToPointInTime writes a table as of a moment to S3, in its own time.

Full exports in DYNAMODB_JSON; ION, incremental and filtered ones are refused. Source: DynamoDB API Reference,
ExportTableToPointInTime, ExportDescription; Developer Guide, "DynamoDB data export to Amazon S3".
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from ministack.core.responses import get_account_id, get_region, json_response, request_scope
from ministack.services import dynamodb, s3

from sandbox.emulator import dynamodb_change_log as change_log
from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.dynamodb_change_log import Items
from sandbox.emulator.dynamodb_continuous_backups import not_found, refused_without_recovery
from sandbox.emulator.dynamodb_export_files import Export, objects
from sandbox.emulator.dynamodb_refusals import OK, Answer, error, find_table
from sandbox.emulator.wrapping import original, replace

EXPORT_SECONDS = (
    60  # sandbox seconds until an export is COMPLETED; on AWS a small table takes about five minutes
)
TOKEN_SECONDS = 8 * 3600  # how long a ClientToken makes calls idempotent

logger = logging.getLogger(__name__)

Description = dict[str, Any]


class Exports:
    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._requests: dict[str, dict[str, Any]] = {}  # by export ARN: the request that began it

    def start(self, data: dict[str, Any]) -> Answer:
        name, now = data.get("TableArn"), self._clock.time()
        table = find_table(name)
        if table is None:
            return not_found(name)
        if repeated := self._same_token(data, now):
            return repeated
        log = change_log.log_of(table)
        if log is None:
            return refused_without_recovery(table)
        asked = (data.get("ExportFormat", "DYNAMODB_JSON"), data.get("ExportType", "FULL_EXPORT"))
        if asked != ("DYNAMODB_JSON", "FULL_EXPORT") or data.get("FilterSpecification"):
            return error("ValidationException", "the sandbox makes full exports in DYNAMODB_JSON only")
        moment = float(data.get("ExportTime", now))
        if not int(log.earliest(now)) <= moment <= now:
            return error(
                "InvalidExportTimeException",
                "The specified ExportTime is outside of the point in time recovery window.",
            )
        export = Export(
            arn=original(dynamodb, "_export_arn")(table["TableArn"]),
            table_arn=table["TableArn"],
            table_id=table["TableId"],
            moment=moment,
            began=now,
            bucket=data["S3Bucket"],
            prefix=data.get("S3Prefix", ""),
            encryption=data.get("S3SseAlgorithm", "AES256"),
            key_id=data.get("S3SseKmsKeyId"),
        )
        description = _description(export, data)
        original(dynamodb, "_exports")[export.arn] = description
        self._requests[export.arn] = dict(data)
        self._put(export, f"{export.folder}/_started", b"")
        self._later(export, description, log.items_at(moment))
        return _answer(description)

    def describe(self, data: dict[str, Any]) -> Answer:
        description = original(dynamodb, "_exports").get(data.get("ExportArn"))
        if description is None:
            return error("ExportNotFoundException", f"Export not found: {data.get('ExportArn')}")
        return _answer(description)

    def _same_token(self, data: dict[str, Any], now: float) -> Answer | None:
        token = data.get("ClientToken")
        for description in original(dynamodb, "_exports").values() if token else ():
            if description.get("ClientToken") == token and now - description["StartTime"] < TOKEN_SECONDS:
                if self._requests[description["ExportArn"]] == data:
                    return _answer(description)
                return error(
                    "ExportConflictException", "The client token was used with other parameters before"
                )
        return None

    def _later(self, export: Export, description: Description, items: Items) -> None:
        account, region = get_account_id(), get_region()

        def finish() -> None:
            with request_scope(account, region):
                try:
                    self._write(export, description, items)
                except Exception:
                    logger.exception("export %s failed", export.arn)
                    description.update({"ExportStatus": "FAILED", "FailureCode": "UNKNOWN"})

        timer = threading.Timer(self._clock.wall_seconds(EXPORT_SECONDS), finish)
        timer.daemon = True
        timer.start()

    def _write(self, export: Export, description: Description, items: Items) -> None:
        size_of = original(dynamodb, "_item_size_bytes")
        found = [(partition, item) for partition, held in items.items() for item in held.values()]
        size, now = sum(size_of(item) for _, item in found), self._clock.time()
        description["EndTime"] = now
        for key, content in objects(export, found, size, now):
            if not self._put(export, key, content):
                description |= {
                    "ExportStatus": "FAILED",
                    "FailureCode": "S3NoSuchBucket",
                    "FailureMessage": "The specified bucket does not exist",
                }
                return
        description |= {
            "ExportStatus": "COMPLETED",
            "ExportManifest": export.manifest_key,
            "ItemCount": len(found),
            "BilledSizeBytes": size,
        }

    @staticmethod
    def _put(export: Export, key: str, content: bytes) -> bool:
        """Whether the bucket took the object."""
        headers = {"x-amz-server-side-encryption": export.encryption}
        if export.key_id:
            headers["x-amz-server-side-encryption-aws-kms-key-id"] = export.key_id
        return bool(original(s3, "_put_object")(export.bucket, key, content, headers)[0] == OK)


def _description(export: Export, data: dict[str, Any]) -> Description:
    asked = ("ClientToken", "S3BucketOwner", "S3Prefix", "S3SseAlgorithm", "S3SseKmsKeyId")
    return {
        "ExportArn": export.arn,
        "ExportStatus": "IN_PROGRESS",
        "StartTime": export.began,
        "ExportTime": export.moment,
        "TableArn": export.table_arn,
        "TableId": export.table_id,
        "S3Bucket": export.bucket,
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": "FULL_EXPORT",
        **{name: data[name] for name in asked if name in data},
    }


def _answer(description: Description) -> Answer:
    answer: Answer = json_response({"ExportDescription": description})
    return answer


def install(clock: SandboxClock) -> None:
    exports = Exports(clock)
    replace(dynamodb, "_export_table_to_point_in_time", lambda _: exports.start)
    replace(dynamodb, "_describe_export", lambda _: exports.describe)
