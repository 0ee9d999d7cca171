"""Target tracking: how a table's provisioned capacity follows its consumption.

Consumption above the target for 2 minutes raises the capacity, consumption more than 20 % below it for 15 minutes
lowers it, cool-downs permitting. Source: DynamoDB Developer Guide, "Managing throughput capacity automatically".
Capacity is changed through UpdateTable, with all of its limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ministack.services import dynamodb

from sandbox.emulator.cloudwatch_statistics import buckets
from sandbox.emulator.dynamodb_refusals import OK
from sandbox.emulator.wrapping import original
from selfright.domain.alarms import Metric

MINUTE = 60
MINUTES_ABOVE = 2
MINUTES_BELOW = 15
SLACK = 0.8  # the low alarm of a target-tracking policy stands 20 % under the target

KIND = {
    "dynamodb:table:ReadCapacityUnits": "Read",
    "dynamodb:table:WriteCapacityUnits": "Write",
}


@dataclass
class Policy:
    name: str
    arn: str
    created: float
    configuration: dict[str, Any]


@dataclass
class Target:
    """One table in one direction. `last_out`, `last_in`: sandbox time of the last change by us."""

    table: str
    dimension: str
    minimum: int
    maximum: int
    arn: str
    role: str
    created: float
    policies: dict[str, Policy] = field(default_factory=dict)
    last_out: float = 0.0
    last_in: float = 0.0

    @property
    def kind(self) -> str:
        return KIND[self.dimension]


def hold_between_limits(target: Target) -> None:
    """Bring the table's capacity between the target's minimum and maximum."""
    present = _capacity(target)
    if present is not None:
        _set_capacity(target, present)


def track(target: Target, configuration: dict[str, Any], now: int) -> None:
    """What a target-tracking policy does at the full minute `now`."""
    provisioned = _capacity(target)
    if not provisioned:
        return
    wanted = configuration["TargetValue"] / 100
    used = _consumed_per_second(target, now, MINUTES_BELOW)
    newest = used[-MINUTES_ABOVE:]
    if min(newest) > wanted * provisioned and now - target.last_out >= configuration.get(
        "ScaleOutCooldown", 0
    ):
        if _set_capacity(target, math.ceil(max(newest) / wanted)):
            target.last_out = now
    elif (
        max(used) < wanted * SLACK * provisioned
        and not configuration.get("DisableScaleIn")
        and now - max(target.last_in, target.last_out) >= configuration.get("ScaleInCooldown", 0)
        and now - target.created >= MINUTES_BELOW * MINUTE
        and _set_capacity(target, math.ceil(max(used) / wanted))
    ):
        target.last_in = now


def _consumed_per_second(target: Target, now: int, minutes: int) -> list[float]:
    """Units a second in each of the last full minutes, oldest first; 0 where nothing was consumed."""
    start = now - minutes * MINUTE
    metric = Metric(
        namespace="AWS/DynamoDB",
        name=f"Consumed{target.kind}CapacityUnits",
        dimensions={"TableName": target.table},
        stat="Sum",
    )
    sums = {bucket.start: bucket.value for bucket in buckets(metric, MINUTE, start, now)}
    return [sums.get(start + place * MINUTE, 0.0) / MINUTE for place in range(minutes)]


def _capacity(target: Target) -> int | None:
    """What the table has provisioned; None on demand, or where it is gone."""
    table = original(dynamodb, "_tables").get(target.table)
    if table is None:
        return None
    return int(table["ProvisionedThroughput"][f"{target.kind}CapacityUnits"]) or None


def _set_capacity(target: Target, units: int) -> bool:
    """Provision `units`, held between the target's limits. False where nothing changed or AWS refused."""
    present = _capacity(target)
    units = max(target.minimum, min(units, target.maximum))
    if present is None or units == present:
        return False
    throughput = original(dynamodb, "_tables")[target.table]["ProvisionedThroughput"]
    both = {name: int(throughput[name]) for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
    both[f"{target.kind}CapacityUnits"] = units
    answer = original(dynamodb, "_update_table")({"TableName": target.table, "ProvisionedThroughput": both})
    return bool(answer[0] == OK)
