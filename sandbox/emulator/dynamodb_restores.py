"""A restore makes a new table as of a moment, takes its time, and leaves many settings behind.

The new table has the items of that moment and, of the source as it is now, keys, indexes, billing mode, capacity and
encryption, unless the request overrides them. Everything else is as in a table made today: no TTL, stream, tags,
autoscaling, point-in-time recovery, deletion protection, table class, resource policy or replicas.
While it is CREATING it cannot be read, changed or deleted. Source: DynamoDB API Reference, RestoreTableToPointInTime,
RestoreTableFromBackup, DeleteTable; Developer Guide, "Restoring a table".
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import dynamodb

from sandbox.emulator import dynamodb_change_log as change_log
from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.dynamodb_continuous_backups import not_found, refused_without_recovery, window
from sandbox.emulator.dynamodb_demand import Table
from sandbox.emulator.dynamodb_refusals import OK, Answer, Handler, error, find_table
from sandbox.emulator.wrapping import original, replace

# Sandbox seconds until the new table is ACTIVE. On AWS it is 20 minutes and more, whatever the table holds: two
# minutes are enough to see everything that waits, and ten seconds of the wall at the sandbox's usual scale.
RESTORE_SECONDS = 120

_NEITHER_READ_NOR_WRITTEN = (
    *("_get_item", "_query", "_scan", "_batch_get_item", "_transact_get_items"),
    *("_put_item", "_update_item", "_delete_item", "_batch_write_item", "_transact_write_items"),
)
_NEITHER_CHANGED_NOR_DELETED = ("_update_table", "_delete_table", "_update_ttl")


class Restores:
    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def to_point_in_time(self, restore: Handler, data: dict[str, Any]) -> Answer:
        name = data.get("SourceTableName") or data.get("SourceTableArn")
        source, now = find_table(name), self._clock.time()
        if source is None:
            return not_found(name)
        span, log = window(source, now), change_log.log_of(source)
        if span is None or log is None:
            return refused_without_recovery(source)
        if refusal := _target_refusal(data.get("TargetTableName")):
            return refusal
        if bool(data.get("UseLatestRestorableTime")) == (data.get("RestoreDateTime") is not None):
            return error(
                "ValidationException",
                "One of RestoreDateTime or UseLatestRestorableTime must be specified, and not both",
            )
        earliest, latest = span
        moment = latest if data.get("UseLatestRestorableTime") else float(data["RestoreDateTime"])
        if not earliest <= moment <= latest:
            return error(
                "InvalidRestoreTimeException",
                "RestoreDateTime must be between EarliestRestorableDateTime and LatestRestorableDateTime",
            )
        answer = restore(data)
        target = find_table(data.get("TargetTableName"))
        if answer[0] != OK or target is None:
            return answer
        target["items"] = log.items_at(moment)
        original(dynamodb, "_items_replaced")(target)
        _override(target, source, data)
        return self._creating(target, {"SourceTableArn": source["TableArn"], "RestoreDateTime": moment})

    def from_backup(self, restore: Handler, data: dict[str, Any]) -> Answer:
        if refusal := _target_refusal(data.get("TargetTableName")):
            return refusal
        answer = restore(data)
        target = find_table(data.get("TargetTableName"))
        if answer[0] != OK or target is None:
            return answer
        _override(target, {}, data)
        return self._creating(target, target["RestoreSummary"])

    def _creating(self, target: Table, summary: dict[str, Any]) -> Answer:
        target["TableStatus"] = "CREATING"
        target["RestoreSummary"] = {**summary, "RestoreInProgress": True}

        def finish() -> None:
            target["RestoreSummary"]["RestoreInProgress"] = False
            target["TableStatus"] = "ACTIVE"

        timer = threading.Timer(self._clock.wall_seconds(RESTORE_SECONDS), finish)
        timer.daemon = True
        timer.start()
        description = original(dynamodb, "_table_description")(target["TableName"])
        answer: Answer = json_response({"TableDescription": description})
        return answer


def _target_refusal(name: Any) -> Answer | None:
    target = find_table(name)
    if target is None:
        return None
    if target["TableStatus"] in ("CREATING", "DELETING"):
        return error("TableInUseException", f"Table is being created or deleted: {name}")
    return error("TableAlreadyExistsException", f"Table already exists: {name}")


def _override(target: Table, source: Table, data: dict[str, Any]) -> None:
    """What MiniStack leaves out of a restore: encryption, and capacity other than the source's."""
    if encryption := data.get("SSESpecificationOverride"):
        target["SSEDescription"] = original(dynamodb, "_sse_description_from_spec")(encryption)
    elif source.get("SSEDescription"):
        target["SSEDescription"] = dict(source["SSEDescription"])
    for member in ("ProvisionedThroughput", "OnDemandThroughput"):
        if throughput := data.get(f"{member}Override") or source.get(member):
            target[member] = dict(throughput)
    if target["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST":
        target["ProvisionedThroughput"] = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    else:
        target.pop("OnDemandThroughput", None)


def install(clock: SandboxClock) -> None:
    restores = Restores(clock)

    def with_summary(before: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
        def describe(name: str) -> dict[str, Any]:
            summary = original(dynamodb, "_tables")[name].get("RestoreSummary")
            return {**before(name), **({"RestoreSummary": summary} if summary else {})}

        return describe

    def not_while_creating(code: str, message: str) -> Callable[[Handler], Handler]:
        def wrap(before: Handler) -> Handler:
            def answer(data: dict[str, Any]) -> Answer:
                for name in _tables_of(data):
                    table = find_table(name)
                    if table is not None and table["TableStatus"] == "CREATING":
                        return error(code, message.format(table=table["TableName"]))
                return before(data)

            return answer

        return wrap

    replace(dynamodb, "_restore_table_to_point_in_time", lambda f: lambda d: restores.to_point_in_time(f, d))
    replace(dynamodb, "_restore_table_from_backup", lambda f: lambda d: restores.from_backup(f, d))
    replace(dynamodb, "_table_description", with_summary)
    for operation in _NEITHER_READ_NOR_WRITTEN:
        replace(
            dynamodb,
            operation,
            not_while_creating("ResourceNotFoundException", "Requested resource not found"),
        )
    for operation in _NEITHER_CHANGED_NOR_DELETED:
        replace(
            dynamodb,
            operation,
            not_while_creating(
                "ResourceInUseException",
                "Attempt to change a resource which is still in use: Table is being created: {table}",
            ),
        )


def _tables_of(data: dict[str, Any]) -> list[Any]:
    """The tables that a request names: one, those of a batch, or those of a transaction."""
    if items := data.get("TransactItems"):
        parts = [part for item in items if isinstance(item, dict) for part in item.values()]
        return [part.get("TableName") for part in parts if isinstance(part, dict)]
    batch = data.get("RequestItems")
    return [*batch] if isinstance(batch, dict) else [data.get("TableName")]
