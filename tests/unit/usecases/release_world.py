"""A shop that releases three functions as one set, in memory: what the rooms of `deploy` need, as wiring.House gives it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from selfright.domain.alarms import State
from selfright.domain.gates import AlarmNow
from selfright.domain.manifest import Workload, load
from selfright.domain.release import ReleaseFile, ReleaseRequest, ReleaseStatus
from selfright.usecases.request_release import request_release
from tests.fakes import FakeAlarms, FakeChannels, FakeSwitchBoard, Fuse, MemoryLeases, StillClock
from tests.fakes.releases import FakeLambda, FakeProbes, MemoryReleaseLedger, RecordingDeployments
from tests.unit.usecases.respond import Respond
from tests.unit.usecases.world import MANIFEST, alarm_definition

NOW = datetime(2026, 11, 23, 10, 0, 20, tzinfo=UTC)
CART, CHECKOUT, STOCK = (f"shop-development-{key}" for key in ("cart", "checkout", "stock"))
ALARM = "shop-development-checkout-errors"
LOCK = "release:shop:development"

RELEASING: dict[str, Any] = {
    "resources": {
        key: {"type": "lambda-function", "name": f"{{workload}}-{{environment}}-{key}"}
        for key in ("cart", "checkout", "stock")
    },
    "deployment": {
        "functions": ["cart", "stock", "checkout"],
        "judged_on": ["checkout"],
        "strategy": {"type": "canary", "percent": 25, "for_seconds": 600},
        "required_settings": ["TABLE"],
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
        self.channels = FakeChannels()
        self.deployments = RecordingDeployments()

        self.asked_things = FakeProbes()
        self.probes: Any = self.fuse.guard("probes", self.asked_things)
        self.releases: Any = self.fuse.guard("releases", self.ledger)
        self.leases: Any = self.fuse.guard("leases", self.memory_leases)
        self.functions: Any = self.fuse.guard("functions", self.awslambda)
        self.versions: Any = self.fuse.guard("versions", self.awslambda)
        self.alarms: Any = self.fuse.guard("alarms", self.cloudwatch)
        self.switches: Any = self.fuse.guard("switches", self.board)

    def ask(self, **changes: Any) -> str:
        """Hand a request in; the id of its release."""
        return request_release(
            request(**changes),
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
        """Every alias is at its first version, without weights."""
        return set(self.awslambda.versions_live().values()) == {"1"} and not self.awslambda.weights_left()


__all__ = ["CART", "CHECKOUT", "NOW", "STOCK", "ReleaseStatus", "ReleaseWorld", "manifest", "request"]
