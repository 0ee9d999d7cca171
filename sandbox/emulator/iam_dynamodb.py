"""IAM is asked about DynamoDB as on AWS where a request names no table, or needs more than its own permission.

Tags, policies and exports are named by ARN. A restore writes to its target, and an export to its bucket, with the
permissions of whoever asks. MiniStack looks at `TableName` alone. Source: Service Authorization Reference; Developer
Guide, "Using IAM with DynamoDB backup and restore" and "Requesting a table export".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import replace

ARNS = ("ResourceArn", "TableArn", "ExportArn", "SourceTableArn")
RESTORE, EXPORT = "dynamodb:RestoreTableToPointInTime", "dynamodb:ExportTableToPointInTime"
ON_THE_TARGET = ("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")
IN_THE_BUCKET = ("AbortMultipartUpload", "PutObject", "PutObjectAcl")

Needed = list[tuple[str, str]]


def install(_clock: SandboxClock) -> None:
    from ministack.core import iam_actions

    def by_arn(before: Callable[..., list[str]]) -> Callable[..., list[str]]:
        return lambda *request: before(*request) or named(*request)

    def with_dependents(before: Callable[..., Needed]) -> Callable[..., Needed]:
        return lambda *request: before(*request) or needed(*request)

    replace(iam_actions, "dynamodb_resource_arns", by_arn)
    replace(iam_actions, "dynamodb_transaction_checks", with_dependents)


def named(body: bytes, region: str, account: str) -> list[str]:
    """The ARN that a request means, where it has no TableName."""
    asked = _asked(body)
    if table := asked.get("SourceTableName"):
        return [_table(table, region, account)]
    return [asked[name] for name in ARNS if asked.get(name)]


def needed(action: str, body: bytes, region: str, account: str) -> Needed:
    """Every action and resource that a restore or an export needs; nothing for any other request."""
    asked, own = _asked(body), [(action, arn) for arn in named(body, region, account)]
    if action == RESTORE:
        target = _table(asked.get("TargetTableName", ""), region, account)
        return own + [(f"dynamodb:{name}", target) for name in ON_THE_TARGET]
    if action == EXPORT:
        folder = "/".join(filter(None, (asked.get("S3Bucket"), asked.get("S3Prefix"), "AWSDynamoDB/*")))
        return own + [(f"s3:{name}", f"arn:aws:s3:::{folder}") for name in IN_THE_BUCKET]
    return []


def _asked(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def _table(name: str, region: str, account: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{region}:{account}:table/{name}"
