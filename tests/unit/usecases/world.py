"""A shop with a starved table, in memory: everything that the rooms of `respond` need, as wiring.House gives it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from selfright.adapters.runbook_files import load_runbook
from selfright.domain.alarms import AlarmDefinition, State
from selfright.domain.gates import AlarmNow
from selfright.domain.incident import CaseFile
from selfright.domain.manifest import Workload, load
from selfright.domain.runbook import Runbook, Shelf
from selfright.domain.signal import Signal
from selfright.ports import TableState, Throttles, Usage
from selfright.usecases.receive_signal import receive_signal
from tests.fakes import (
    Down,
    FakeAlarms,
    FakeChannels,
    FakeScaling,
    FakeSwitchBoard,
    FakeTables,
    Fuse,
    MemoryLeases,
    MemoryStore,
    RecordingMessenger,
    RecordingWorkflows,
    StillClock,
)
from tests.fakes.releases import MemoryReleaseLedger, RecordingDeployments, RecordingRollBacks

ROOT = Path(__file__).parents[3]
WENT_OFF = datetime(2026, 11, 23, 10, tzinfo=UTC)
TABLE = "shop-development-orders"
ALARM = "shop-development-orders-throttled"
GUARD = "shop-development-checkout-errors"
RUNBOOK = "database-performance"
ACCOUNT, REGION = "123456789012", "eu-central-1"

MANIFEST: dict[str, Any] = {
    "workload": "shop",
    "description": "Sells things.",
    "owner": "shop-team",
    "resources": {
        "orders": {
            "type": "dynamodb-table",
            "name": "{workload}-{environment}-orders",
            "capacity": {"on_demand_allowed": True},
        },
        "checkout": {"type": "lambda-function", "name": "{workload}-{environment}-checkout"},
    },
    "alarms": {
        "orders-throttled": {
            "name": "{workload}-{environment}-orders-throttled",
            "resource": "orders",
            "symptom": "throttling",
            "severity": "critical",
        },
        "orders-reads-throttled": {
            "name": "{workload}-{environment}-orders-reads-throttled",
            "resource": "orders",
            "symptom": "throttling",
            "severity": "critical",
        },
        "checkout-errors": {
            "name": "{workload}-{environment}-checkout-errors",
            "resource": "checkout",
            "symptom": "errors",
            "severity": "high",
        },
    },
    "guards": ["checkout-errors"],
    "autonomy": {"runbooks": {RUNBOOK: "auto"}},
}


def workload(**overlay: Any) -> Workload:
    return load(MANIFEST, overlay, "development")


@cache
def runbook() -> Runbook:
    return load_runbook(ROOT / "runbooks" / f"{RUNBOOK}.yaml")


def alarm_definition(name: str = ALARM, **changes: Any) -> AlarmDefinition:
    """More than 5 in 3 of 3 minutes."""
    return AlarmDefinition.parse(
        {
            "AlarmName": name,
            "Namespace": "Shop",
            "MetricName": "ThrottledPercent",
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 3,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            **changes,
        }
    )


def signal(at: datetime = WENT_OFF, state: State = State.ALARM, alarm: str = ALARM) -> Signal:
    return Signal(
        account=ACCOUNT,
        region=REGION,
        name=alarm,
        subject=f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm}",
        state=state,
        at=at,
        reason="Threshold Crossed",
    )


class World:
    """Ten write units where fourteen are asked for; the alarm went off at WENT_OFF, five seconds ago.

    `throttled` says how many percent of the writes are throttled as things stand (None: nothing is reported), and
    `errors` what the guard's metric is: that is what CloudWatch has while time passes. Ports are guarded by `fuse`; `memory` and its like are the same ports without it.
    """

    def __init__(self, manifest: Workload | None = None) -> None:
        self.workload = manifest or workload()
        self.workloads = {self.workload.workload: self.workload}
        self.runbooks = {RUNBOOK: runbook()}
        self.shelf = Shelf(self.runbooks.values())
        self.clock = StillClock(WENT_OFF + timedelta(seconds=5))
        self.fuse = Fuse()
        self.aws = self  # the rooms ask it for `calls` only
        self.calls: Counter[str] = Counter()

        self.memory_leases = MemoryLeases()
        self.memory = MemoryStore(self.memory_leases)
        self.board = FakeSwitchBoard()
        self.cloudwatch = FakeAlarms()
        self.dynamodb = FakeTables(
            TableState(name=TABLE, status="ACTIVE", on_demand=False, read_units=10, write_units=10)
        )
        self.autoscaling = FakeScaling()
        self.workflows = RecordingWorkflows()
        self.channels = FakeChannels()
        self.ledger, self.roll_backs = MemoryReleaseLedger(), RecordingRollBacks()
        self.deployments = RecordingDeployments()
        self.messenger: Any = RecordingMessenger()

        self.store: Any = self.fuse.guard("store", self.memory)
        self.history: Any = self.fuse.guard("history", self.memory)
        self.leases: Any = self.fuse.guard("leases", self.memory_leases)
        self.switches: Any = self.fuse.guard("switches", self.board)
        self.alarms: Any = self.fuse.guard("alarms", self.cloudwatch)
        self.tables: Any = self.fuse.guard("tables", self.dynamodb)
        self.scaling: Any = self.fuse.guard("scaling", self.autoscaling)

        self.releases: Any = self.fuse.guard("releases", self.ledger)
        self.functions: Any = Down()  # no remedy of a table asks for one

        self.throttled: Callable[[], float | None] = self._throttled_by_demand
        self.errors: Callable[[], float] = lambda: 0.0
        self.demand(write=14.0)
        for name in (ALARM, GUARD):
            since = AlarmNow(state=State.OK, since=WENT_OFF - timedelta(days=1))
            self.cloudwatch.add(alarm_definition(name), since)
            self.cloudwatch.report(name, WENT_OFF - timedelta(hours=1), WENT_OFF, 0.0)
        self.cloudwatch.change(ALARM, state=State.ALARM, since=WENT_OFF)
        self.cloudwatch.report(ALARM, WENT_OFF - timedelta(minutes=3), WENT_OFF, 20.0)

    def demand(self, *, write: float, throttles: Throttles | None = None) -> None:
        throttles = throttles or Throttles(provisioned=120.0)
        self.dynamodb.used[TABLE] = {
            "read": Usage(consumed_peak=1.0, demand_peak=1.0, throttles=Throttles()),
            "write": Usage(consumed_peak=10.0, demand_peak=write, throttles=throttles),
        }

    def table(self) -> TableState:
        return self.dynamodb.states[TABLE]

    def pass_time(self, seconds: float) -> None:
        """Move the clock; the metrics show how things stand now."""
        start = self.clock.now()
        self.clock.advance(seconds)
        if (percent := self.throttled()) is not None:
            self.cloudwatch.report(ALARM, start, self.clock.now(), percent)
        self.cloudwatch.report(GUARD, start, self.clock.now(), self.errors())

    def receive(self, *signals: Signal) -> str:
        """Hand signals in; the id of the incident that the last one concerns."""
        for one in signals or (signal(),):
            record = receive_signal(
                one,
                workloads=tuple(self.workloads.values()),
                store=self.memory,
                history=self.memory,
                workflows=self.workflows,
                clock=self.clock,
            )
        return str(record.incident_id)

    def case(self, incident_id: str) -> CaseFile:
        return self.memory.case(incident_id)

    def _throttled_by_demand(self) -> float:
        units = self.table().write_units
        return 0.0 if units is None or units >= self.dynamodb.used[TABLE]["write"].demand_peak else 20.0
