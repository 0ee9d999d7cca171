"""The AWS/DynamoDB metrics of tables and indexes, stamped in sandbox time.

Source: DynamoDB Developer Guide, "Metrics and dimensions" and "CloudWatch throttling metrics". As on AWS, throttle
metrics exist only where something was throttled.
"""

from __future__ import annotations

from functools import cache

from ministack.services import cloudwatch, dynamodb

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.dynamodb_demand import Charge
from sandbox.emulator.dynamodb_limits import is_provisioned
from sandbox.emulator.ticker import every
from sandbox.emulator.wrapping import original

NAMESPACE = "AWS/DynamoDB"
MINUTE = 60

_clock = SandboxClock(origin=0.0, scale=1.0)


@cache
def _identity(
    name: str, table: str, index: str | None, operation: str | None
) -> tuple[tuple[str, str, str], dict[str, str]]:
    dimensions = {"TableName": table}
    if index:
        dimensions["GlobalSecondaryIndexName"] = index
    if operation:
        dimensions["Operation"] = operation
    return (NAMESPACE, name, original(cloudwatch, "_dims_key")(dimensions)), dimensions


def _put(
    name: str,
    value: float,
    table: str,
    *,
    index: str | None = None,
    operation: str | None = None,
    unit: str = "Count",
    at: float | None = None,
) -> None:
    key, dimensions = _identity(name, table, index, operation)
    cloudwatch._metric_bucket(key).append(
        {"Timestamp": at or _clock.time(), "Value": value, "Unit": unit, "Dimensions": dimensions}
    )


def consumed(charges: list[Charge]) -> None:
    """One datapoint per request and resource: Sum gives units, SampleCount requests."""
    for charge in charges:
        if charge.units:
            _put(f"Consumed{charge.kind}CapacityUnits", charge.units, charge.table, index=charge.index)


def succeeded(table: str, operation: str, milliseconds: float) -> None:
    _put("SuccessfulRequestLatency", milliseconds, table, operation=operation, unit="Milliseconds")


def throttled(table: str, index: str | None, kind: str, cause: str) -> None:
    """One throttled event. `cause`: ProvisionedThroughput, KeyRangeThroughput, MaxOnDemandThroughput or
    AccountLimit.
    """
    _put(f"{kind}ThrottleEvents", 1.0, table, index=index)
    _put(f"{kind}{cause}ThrottleEvents", 1.0, table, index=index)


def request_throttled(table: str, operation: str) -> None:
    _put("ThrottledRequests", 1.0, table, operation=operation)


def install(clock: SandboxClock) -> None:
    """Start publishing the capacity that is provisioned, once a minute and table."""
    global _clock  # noqa: PLW0603 - the one clock of this process, set once before the server starts
    _clock = clock

    def publish_provisioned(boundary: int) -> None:
        from ministack.core.responses import request_scope

        for (account, region, name), table in list(original(dynamodb, "_tables").all_items()):
            if not is_provisioned(table):
                continue
            resources = [(None, table["ProvisionedThroughput"])] + [
                (index["IndexName"], index["ProvisionedThroughput"])
                for index in table.get("GlobalSecondaryIndexes") or ()
                if index.get("ProvisionedThroughput")
            ]
            with request_scope(account, region):
                for index, throughput in resources:
                    for kind in ("Read", "Write"):
                        _put(
                            f"Provisioned{kind}CapacityUnits",
                            float(throughput[f"{kind}CapacityUnits"]),
                            name,
                            index=index,
                            at=float(boundary),
                        )

    every(clock, MINUTE, publish_provisioned, name="dynamodb-provisioned-metrics")
