"""Point-in-time recovery as AWS describes it: a window from when it was switched on until about five minutes ago.

Source: DynamoDB API Reference, UpdateContinuousBackups and PointInTimeRecoveryDescription; Developer Guide,
"Point-in-time recovery".
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import json_response
from ministack.services import dynamodb

from sandbox.emulator import dynamodb_change_log as change_log
from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.dynamodb_demand import Table
from sandbox.emulator.dynamodb_refusals import OK, Answer, Handler, error, find_table
from sandbox.emulator.wrapping import replace

LAG_SECONDS = 300  # "LatestRestorableDateTime is typically 5 minutes before the current time"
PERIOD_DAYS = range(1, 36)
DEFAULT_DAYS = 35


def window(table: Table, now: float) -> tuple[float, float] | None:
    """Earliest and latest moment that can be restored, whole seconds as AWS has them; None where recovery is off."""
    log = change_log.log_of(table)
    if log is None:
        return None
    earliest = float(int(log.earliest(now)))
    return earliest, max(earliest, float(int(now - LAG_SECONDS)))


def refused_without_recovery(table: Table) -> Answer:
    return error(
        "PointInTimeRecoveryUnavailableException",
        f"Point in time recovery is not enabled for table '{table['TableName']}'",
    )


def not_found(name: Any) -> Answer:
    return error("TableNotFoundException", f"Table not found: {name}")


def _described(table: Table, now: float) -> Answer:
    recovery: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}
    log, span = change_log.log_of(table), window(table, now)
    if log and span:
        recovery = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": log.days,
            "EarliestRestorableDateTime": span[0],
            "LatestRestorableDateTime": span[1],
        }
    answer: Answer = json_response(
        {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": recovery,
            }
        }
    )
    return answer


def install(clock: SandboxClock) -> None:
    def describe(_before: Handler) -> Handler:
        def answer(data: dict[str, Any]) -> Answer:
            table = find_table(data.get("TableName"))
            return _described(table, clock.time()) if table else not_found(data.get("TableName"))

        return answer

    def update(before: Handler) -> Handler:
        def answer(data: dict[str, Any]) -> Answer:
            table = find_table(data.get("TableName"))
            if table is None:
                return not_found(data.get("TableName"))
            if table["TableStatus"] == "CREATING":
                return error(
                    "ContinuousBackupsUnavailableException",
                    f"Backups are being enabled for the table: {table['TableName']}. Please retry later",
                )
            asked = data.get("PointInTimeRecoverySpecification") or {}
            days = asked.get("RecoveryPeriodInDays", DEFAULT_DAYS)
            if days not in PERIOD_DAYS:
                return error(
                    "ValidationException",
                    f"1 validation error detected: Value '{days}' at "
                    "'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to satisfy constraint: "
                    "Member must have value between 1 and 35",
                )
            done = before(data)
            if done[0] != OK:
                return done
            if asked.get("PointInTimeRecoveryEnabled"):
                change_log.start(table, clock.time(), days)
            else:
                change_log.stop(table)
            return _described(table, clock.time())

        return answer

    replace(dynamodb, "_describe_continuous_backups", describe)
    replace(dynamodb, "_update_continuous_backups", update)
