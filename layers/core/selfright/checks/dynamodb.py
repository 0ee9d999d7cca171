"""What can be seen of a DynamoDB table: its mode, why it throttles, whether somebody scales it, how slow it is.

The reason of a throttle decides everything: more capacity helps only against `provisioned`. A hot partition
(`key_range`) keeps throttling whatever the table has, and `on_demand_maximum` is a cap that the owner set on purpose.
Source: DynamoDB developer guide, "Diagnosing throttling".
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from selfright.checks.registry import check
from selfright.domain.catalogue import CheckDeclaration, CheckResult
from selfright.domain.errors import BusyError
from selfright.domain.manifest import DynamoDBTable, ResourceType
from selfright.ports import Instruments, TableState

TABLE = frozenset({ResourceType.DYNAMODB_TABLE})
DIRECTIONS = ("read", "write")
# After the first hour of a UTC day's decreases; see _lowerable.
BETWEEN_DECREASES = timedelta(hours=1)


class Window(BaseModel):
    """How far back to look."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    minutes: int = Field(default=10, ge=3, le=60)


class LatencyWindow(Window):
    limit_ms: float = Field(default=50.0, gt=0)


@check(
    CheckDeclaration(
        name="dynamodb.table",
        summary="Mode, status and what may still be changed today",
        resource_types=TABLE,
        permissions=frozenset({"dynamodb:DescribeTable"}),
        findings={
            "table-on-demand": "the table is in on-demand mode",
            "table-busy": "the table is neither ACTIVE nor merely UPDATING, for which a check waits",
            "undo-possible": "a raised capacity could be lowered again today",
            "on-demand-allowed": "the manifest allows switching this table to on-demand",
        },
    )
)
def table(instruments: Instruments, resource: DynamoDBTable, _: BaseModel) -> CheckResult:
    state = instruments.tables.describe(resource.name)
    if state.status == "UPDATING":
        raise BusyError(f"{resource.name} is UPDATING: an earlier change is still under way")
    return CheckResult(
        findings={
            "table-on-demand": state.on_demand,
            "table-busy": state.status != "ACTIVE",
            "undo-possible": not state.on_demand and _lowerable(state, instruments.clock.now()),
            "on-demand-allowed": resource.capacity.on_demand_allowed,
        },
        facts={"table": state.model_dump(mode="json")},
    )


def _lowerable(table: TableState, now: datetime) -> bool:
    """Whether a raise made now could be taken back soon after.

    A UTC day has four decreases within an hour of its first one, and after that one an hour (DynamoDB Developer
    Guide, "Quotas"). DescribeTable does not tell when the first one was: of two or more, only the last one counts.
    """
    if table.decreases_today < 2 or table.last_decrease_at is None:  # noqa: PLR2004 - its first was its last
        return True
    return now - table.last_decrease_at >= BETWEEN_DECREASES


@check(
    CheckDeclaration(
        name="dynamodb.throttling",
        summary="Consumed and demanded capacity, and the cause of every throttle",
        resource_types=TABLE,
        parameters=Window,
        permissions=frozenset({"cloudwatch:GetMetricData"}),
        findings={
            "throttled-by-provisioned-capacity": "requests were throttled because the table's own units ran out",
            "hot-partition": "requests were throttled by the limit of a single partition; capacity does not help",
            "on-demand-cap-reached": "requests were throttled by the maximum that the owner set",
            "account-limit-reached": "requests were throttled by an account quota",
            "capacity-at-limit": "serving the demand needs more units than the manifest allows",
        },
    )
)
def throttling(instruments: Instruments, resource: DynamoDBTable, window: Window) -> CheckResult:
    now = instruments.clock.now()
    usage = instruments.tables.usage(resource.name, now - timedelta(minutes=window.minutes), now)
    starved = [d for d in DIRECTIONS if usage[d].throttles.provisioned > 0]
    limits = resource.capacity
    needed = {d: math.ceil(usage[d].demand_peak / limits.target_utilisation) for d in starved}
    return CheckResult(
        findings={
            "throttled-by-provisioned-capacity": bool(starved),
            "hot-partition": any(u.throttles.key_range > 0 for u in usage.values()),
            "on-demand-cap-reached": any(u.throttles.on_demand_maximum > 0 for u in usage.values()),
            "account-limit-reached": any(u.throttles.account_limit > 0 for u in usage.values()),
            "capacity-at-limit": any(n > limits.max_units for n in needed.values()),
        },
        facts={
            "starved": starved,
            "usage": {d: u.model_dump(mode="json") for d, u in usage.items()},
        },
    )


@check(
    CheckDeclaration(
        name="dynamodb.autoscaling",
        summary="Whether Application Auto Scaling owns the table's capacity",
        resource_types=TABLE,
        permissions=frozenset({"application-autoscaling:DescribeScalableTargets"}),
        findings={
            "autoscaled": "Application Auto Scaling is registered for the table; it would undo a direct change",
        },
    )
)
def autoscaling(instruments: Instruments, resource: DynamoDBTable, _: BaseModel) -> CheckResult:
    targets = instruments.scaling.describe(resource.name)
    return CheckResult(
        findings={"autoscaled": any(not t.suspended for t in targets.values())},
        facts={"autoscaling": {d: t.model_dump(mode="json") for d, t in targets.items()}},
    )


@check(
    CheckDeclaration(
        name="dynamodb.latency",
        summary="Mean latency of successful requests",
        resource_types=TABLE,
        parameters=LatencyWindow,
        permissions=frozenset({"cloudwatch:GetMetricData"}),
        findings={"latency-high": "successful requests take longer than they should"},
    )
)
def latency(instruments: Instruments, resource: DynamoDBTable, window: LatencyWindow) -> CheckResult:
    now = instruments.clock.now()
    mean = instruments.tables.latency(resource.name, now - timedelta(minutes=window.minutes), now)
    return CheckResult(
        findings={"latency-high": mean is not None and mean > window.limit_ms},
        facts={"latency_ms": mean},
    )


CHECKS = (table, throttling, autoscaling, latency)
