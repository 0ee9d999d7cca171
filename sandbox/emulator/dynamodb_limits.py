"""The capacity that each table and index has at the moment, and what it refuses.

A table is limited by its provisioned throughput, or on demand by its OnDemandThroughput where the owner set one;
a partition key by what one partition serves, in both modes. Source: DynamoDB Developer Guide, "DynamoDB
throttling resolution guide".
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Any

from ministack.services import dynamodb

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.dynamodb_buckets import PARTITION_UNITS, Limit
from sandbox.emulator.dynamodb_demand import Charge
from sandbox.emulator.wrapping import original

# Writes a second that one partition key takes; a demo lowers it to show a hot key with little traffic.
PARTITION_WCU_VARIABLE = "SELFRIGHT_SANDBOX_PARTITION_WCU"

UNLIMITED = -1  # OnDemandThroughput's word for "no maximum"


@dataclass(frozen=True)
class Refusal:
    """Why one charge was not granted. `cause` as in the metric's name: ProvisionedThroughput and so on."""

    charge: Charge
    cause: str
    on_demand: bool

    @property
    def reason(self) -> str:
        """The `reason` of the exception's ThrottlingReasons."""
        resource = "Index" if self.charge.index else "Table"
        return f"{resource}{self.charge.kind}{self.cause}Exceeded"


class Limits:
    """All tables' limits. Thread-safe: requests of one server, ticks of another thread."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._limits: dict[tuple[str, str], Limit] = {}
        self._partition_units = {
            **PARTITION_UNITS,
            "Write": float(os.environ.get(PARTITION_WCU_VARIABLE, PARTITION_UNITS["Write"])),
        }

    def take(self, charges: list[Charge]) -> list[Refusal]:
        """Take all charges, or none and say which were refused."""
        now = self._clock.time()
        with self._lock:
            refused: list[Refusal] = []
            granted: list[tuple[Limit, Charge]] = []
            for charge in charges:
                limit, on_demand = self._limit(charge, now)
                refused += [
                    Refusal(charge, cause, on_demand) for cause in _causes(limit, charge, on_demand, now)
                ]
                granted.append((limit, charge))
            if not refused:
                for limit, charge in granted:
                    limit.take(charge.units, charge.partition, now)
            return refused

    def owe(self, charges: list[Charge]) -> None:
        """Take charges that became known only after the work was done; the bucket may go below zero."""
        now = self._clock.time()
        with self._lock:
            for charge in charges:
                self._limit(charge, now)[0].take(charge.units, charge.partition, now)

    def give_back(self, charges: list[Charge]) -> None:
        """Undo take(): the request was invalid and consumed nothing."""
        self.owe([Charge(c.table, c.arn, c.kind, -c.units, c.partition, c.index) for c in charges])

    def forget(self, table_arn: str) -> None:
        """A table was deleted: one of the same name starts anew."""
        with self._lock:
            for arn, kind in list(self._limits):
                if arn == table_arn or arn.startswith(f"{table_arn}/"):
                    del self._limits[arn, kind]

    def _limit(self, charge: Charge, now: float) -> tuple[Limit, bool]:
        limit = self._limits.get((charge.arn, charge.kind))
        if limit is None:
            limit = self._limits[charge.arn, charge.kind] = Limit(self._partition_units[charge.kind])
        rate, on_demand = _configured(charge)
        limit.configure(rate, now)
        return limit, on_demand


_tables = original(dynamodb, "_tables")


def is_provisioned(table: dict[str, Any]) -> bool:
    return bool((table.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED") == "PROVISIONED")


def _configured(charge: Charge) -> tuple[float | None, bool]:
    """Units a second that the table or index allows now, and whether it is on demand."""
    table: dict[str, Any] = _tables[charge.table]
    resource: dict[str, Any] = table
    if charge.index:
        resource = next(i for i in table["GlobalSecondaryIndexes"] if i["IndexName"] == charge.index)
    if is_provisioned(table):
        return float(resource["ProvisionedThroughput"][f"{charge.kind}CapacityUnits"]), False
    maximum = (resource.get("OnDemandThroughput") or {}).get(f"Max{charge.kind}RequestUnits", UNLIMITED)
    return (None if int(maximum) == UNLIMITED else float(maximum)), True


def _causes(limit: Limit, charge: Charge, on_demand: bool, now: float) -> list[str]:
    causes = []
    if limit.table_is_short_of(charge.units, now):
        causes.append("MaxOnDemandThroughput" if on_demand else "ProvisionedThroughput")
    if charge.partition is not None and limit.partition_is_short_of(charge.units, charge.partition, now):
        causes.append("KeyRangeThroughput")
    return causes
