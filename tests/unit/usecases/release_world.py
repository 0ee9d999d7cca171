"""A shop that releases three functions as one set, in memory: what the rooms of `deploy` need, as wiring.House gives it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from selfright.domain.alarms import State
from selfright.domain.backup.restore_test import RecoveryWindow
from selfright.domain.gates import AlarmNow
from selfright.domain.manifest import Workload, load
from selfright.domain.release import ReleaseFile, ReleaseRequest, ReleaseStatus
from selfright.usecases.request_release import request_release
from tests.fakes import FakeAlarms, FakeChannels, FakeSwitchBoard, Fuse, MemoryLeases, StillClock
from tests.fakes.configurations import FakeAppConfig, MemoryArtifacts
from tests.fakes.releases import (
    FakeLambda,
    FakeProbes,
    MemoryReleaseLedger,
    RecordingDeployments,
    RecordingRollBacks,
)
from tests.fakes.stacks import FakeStacks, FakeTemplates
from tests.fakes.state_machines import FakeStateMachines
from tests.unit.usecases.respond import Respond
from tests.unit.usecases.world import MANIFEST, alarm_definition

NOW = datetime(2026, 11, 23, 10, 0, 20, tzinfo=UTC)
CART, CHECKOUT, STOCK = (f"shop-development-{key}" for key in ("cart", "checkout", "stock"))
ORDERS = "shop-development-orders"
PACKING = "shop-development-packing"
ALARM = "shop-development-checkout-errors"
LOCK = "release:shop:development"
STACK = "shop-development"
TEMPLATE: dict[str, Any] = {
    "Parameters": {"Limit": {"Type": "Number"}},
    "Resources": {
        "Orders": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": "id"}},
        "Late": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Threshold": 1}},
    },
}

RELEASING: dict[str, Any] = {
    "resources": {
        key: {"type": "lambda-function", "name": f"{{workload}}-{{environment}}-{key}"}
        for key in ("cart", "checkout", "stock")
    }
    | {"packing": {"type": "state-machine", "name": "{workload}-{environment}-packing"}},
    "deployment": {
        "functions": ["cart", "stock", "checkout"],
        "judged_on": ["checkout"],
        "stack": STACK,
        "strategy": {"type": "canary", "percent": 25, "for_seconds": 600},
        "workflows": ["packing"],
        "required_settings": ["TABLE"],
        "configurations": {
            key: {"application": "{workload}", "environment": "{environment}", "profile": key}
            for key in ("limits", "texts")
        },
    },
}

REQUEST: dict[str, Any] = {
    "release_id": "shop-42",
    "workload": "shop",
    "environment": "development",
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "committed_at": "2026-11-23T09:00:00Z",
    "requested_by": "ada",
    "reason": "a shorter summary",
}


def manifest(**deployment: Any) -> Workload:
    return load(
        MANIFEST, {**RELEASING, "deployment": {**RELEASING["deployment"], **deployment}}, "development"
    )


def request(**changes: Any) -> ReleaseRequest:
    return ReleaseRequest.model_validate({**REQUEST, **changes})


class Restorable:
    """Tables that could be restored to what they were `lag` ago; to nothing without it."""

    def __init__(self, clock: StillClock) -> None:
        self._clock = clock
        self.lag: timedelta | None = timedelta(minutes=5)

    def window(self, table: str) -> RecoveryWindow | None:
        assert table == ORDERS
        if self.lag is None:
            return None
        now = self._clock.now()
        return RecoveryWindow(earliest=now - timedelta(days=35), latest=now - self.lag, days=35)


class ReleaseWorld:
    """Forty requests a minute for each function. `failing`: the share of failed requests, by function and version."""

    def __init__(self, workload: Workload | None = None) -> None:
        self.workload = workload or manifest()
        self.workloads = {self.workload.workload: self.workload}
        self.clock = StillClock(NOW)
        self.fuse = Fuse()
        self.aws = self
        self.calls: Counter[str] = Counter()
        self.requests = 40.0
        self.failing: dict[str, dict[str, float]] = {}

        self.ledger, self.memory_leases = MemoryReleaseLedger(), MemoryLeases()
        self.awslambda, self.board, self.cloudwatch = (
            FakeLambda(CART, STOCK, CHECKOUT),
            FakeSwitchBoard(),
            FakeAlarms(),
        )
        self.cloudwatch.add(alarm_definition(ALARM), AlarmNow(state=State.OK, since=NOW - timedelta(days=1)))
        self.appconfig, self.bucket = FakeAppConfig("limits", "texts"), MemoryArtifacts()
        self.machines = FakeStateMachines(PACKING)
        self.channels = FakeChannels()
        self.cloudformation, self.template_files = FakeStacks(STACK, TEMPLATE, Limit="5"), FakeTemplates()
        self.deployments, self.roll_backs = RecordingDeployments(), RecordingRollBacks()

        self.asked_things = FakeProbes()
        self.probes: Any = self.fuse.guard("probes", self.asked_things)
        self.releases: Any = self.fuse.guard("releases", self.ledger)
        self.leases: Any = self.fuse.guard("leases", self.memory_leases)
        self.functions: Any = self.fuse.guard("functions", self.awslambda)
        self.versions: Any = self.fuse.guard("versions", self.awslambda)
        self.state_machines: Any = self.fuse.guard("state_machines", self.machines)
        self.tables = Restorable(self.clock)
        self.backups: Any = self.fuse.guard("backups", self.tables)
        self.artifacts: Any = self.fuse.guard("artifacts", self.bucket)
        self.configurations: Any = self.fuse.guard("configurations", self.appconfig)
        self.alarms: Any = self.fuse.guard("alarms", self.cloudwatch)
        self.switches: Any = self.fuse.guard("switches", self.board)
        self.stacks: Any = self.fuse.guard("stacks", self.cloudformation)
        self.templates: Any = self.fuse.guard("templates", self.template_files)

    def ask(self, **changes: Any) -> str:
        """Hand a request in; the id of its release."""
        return request_release(
            request(**changes),
            {"by": "call"},
            workloads=self.workloads,
            releases=self.ledger,
            deployments=self.deployments,
            clock=self.clock,
        ).release_id

    def deploy(self, **changes: Any) -> ReleaseFile:
        """A release from its request to the end of its execution."""
        release_id = self.ask(**changes)
        self.play("deploy", release_id=release_id)
        return self.ledger.file(release_id)

    def play(self, machine: str, **given: str) -> Respond:
        play = Respond(self)
        play.play(machine, **given)
        return play

    def roll_back(
        self, release_id: str, reason: str, actor: str = "grace", cause: str = "by-hand", to: str = "none"
    ) -> Respond:
        """The execution of `roll_back` that somebody starts."""
        given = {"release_id": release_id, "reason": reason, "actor": actor, "cause": cause, "to": to}
        return self.play("roll_back", **given)

    def pass_time(self, seconds: float) -> None:
        """Move the clock; requests come by the minute."""
        start = self.clock.now()
        self.clock.advance(seconds)
        first = -(-start.timestamp() // 60) * 60
        while first < self.clock.now().timestamp():
            for function in self.awslambda.functions:
                self.awslambda.serve(function, first, self.requests, self.failing.get(function, {}))
            first += 60

    def alarm(self, state: State) -> None:
        self.cloudwatch.change(ALARM, state=state, since=self.clock.now())

    def free(self) -> bool:
        """Nobody holds the workload."""
        return self.memory_leases.holder(LOCK, self.clock.now()) is None

    def untouched(self) -> bool:
        """Every alias is at its first version, without weights, and so are the configurations."""
        packing = self.machines.aliases[PACKING]
        if packing.version != "1" or packing.weights:
            return False
        first = set(self.awslambda.versions_live().values()) == {"1"} and not self.awslambda.weights_left()
        return first and {self.appconfig.live(name) for name in ("limits", "texts")} == {"1"}


__all__ = [
    "CART",
    "CHECKOUT",
    "NOW",
    "PACKING",
    "STOCK",
    "ReleaseStatus",
    "ReleaseWorld",
    "manifest",
    "request",
]
