"""How often DynamoDB lets a table's capacity be lowered and its billing mode be switched.

Source: DynamoDB Developer Guide, "Quotas": four decreases within the first hour of a UTC day's decreasing, then
one an hour, tables and indexes apart; four switches to on-demand mode in any 24 hours, back at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.emulator.dynamodb_demand import Table
from sandbox.emulator.dynamodb_limits import is_provisioned

HOUR = 3600
DAY = 24 * HOUR
FREE_DECREASES = 4
SWITCHES_A_DAY = 4

DIRECTIONS = ("ReadCapacityUnits", "WriteCapacityUnits")

Throughput = dict[str, Any]


@dataclass
class Quotas:
    """What happened so far, by the ARN of a table or index: moments in sandbox time, oldest first."""

    decreases: dict[str, list[float]] = field(default_factory=dict)
    switches: dict[str, list[float]] = field(default_factory=dict)

    def today(self, arn: str, now: float) -> list[float]:
        """The decreases of the present UTC day."""
        return [at for at in self.decreases.get(arn, []) if at >= now // DAY * DAY]

    def forget(self, table_arn: str) -> None:
        """Nothing happened to that table and its indexes."""
        for past in (self.decreases, self.switches):
            for arn in [a for a in past if a == table_arn or a.startswith(f"{table_arn}/")]:
                del past[arn]

    def refusal(self, table: Table, data: dict[str, Any], now: float) -> str | None:
        """Why UpdateTable with `data` is refused now, in AWS's words; None where it is not."""
        if data.get("BillingMode") == "PAY_PER_REQUEST" and is_provisioned(table):
            switches = [at for at in self.switches.get(table["TableArn"], []) if now - at < DAY]
            if len(switches) >= SWITCHES_A_DAY:
                return (
                    f"Update to PayPerRequest mode are limited to {SWITCHES_A_DAY} times in 1 day(s). "
                    f"Last update at {_moment(switches[-1])}. "
                    f"Next update can be made at {_moment(switches[0] + DAY)}"
                )
        for arn, old, new in _throughput_changes(table, data):
            today = self.today(arn, now)
            if not is_decrease(old, new) or not today or now - today[-1] >= HOUR:
                continue
            if len(today) < FREE_DECREASES and now - today[0] < HOUR:
                continue
            return (
                "Provisioned throughput decreases are limited within a given UTC day. After the first "
                f"{FREE_DECREASES} decreases, each subsequent decrease in the same UTC day can be performed at "
                f"most once every {HOUR} seconds. Number of decreases today: {len(today)}. "
                f"Last decrease at {_moment(today[-1])}. Next decrease can be made at {_moment(today[-1] + HOUR)}"
            )
        return None


def is_decrease(old: Throughput, new: Throughput) -> bool:
    return any(0 < int(new.get(key, 0)) < int(old.get(key, 0)) for key in DIRECTIONS)


def is_increase(old: Throughput, new: Throughput) -> bool:
    return any(int(new.get(key, 0)) > int(old.get(key, 0)) for key in DIRECTIONS)


def index_arn(table: Table, index: dict[str, Any]) -> str:
    return f"{table['TableArn']}/index/{index['IndexName']}"


def _throughput_changes(table: Table, data: dict[str, Any]) -> list[tuple[str, Throughput, Throughput]]:
    """(ARN, old throughput, new throughput) of the table and of each index that the request names."""
    changes = []
    if (new := data.get("ProvisionedThroughput")) and is_provisioned(table):
        changes.append((table["TableArn"], table["ProvisionedThroughput"], new))
    indexes = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes") or ()}
    for change in data.get("GlobalSecondaryIndexUpdates") or ():
        update = change.get("Update") or {}
        index = indexes.get(update.get("IndexName"))
        if index is not None and update.get("ProvisionedThroughput"):
            old = index.get("ProvisionedThroughput") or {}
            changes.append((index_arn(table, index), old, update["ProvisionedThroughput"]))
    return changes


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%A, %d %B %Y %H:%M:%S o'clock UTC")
