"""A shop that is backed up, and `back_up` played through: real use cases, AWS in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from selfright.domain.backup.run import BackUpBegin, BackUpResult, BackupRun, Scope, run_id
from selfright.domain.backup.steps import Next
from selfright.domain.manifest import load
from selfright.usecases.finish_backup import finish_backup
from selfright.usecases.plan_backup import plan_backup
from selfright.usecases.take_backup import take_backup
from tests.fakes import Fuse, MemoryLeases, StillClock
from tests.fakes.recovery import (
    FakeBackupBucket,
    FakeKeptExports,
    FakeSystemState,
    MemoryBackupRuns,
    MemoryConfigurationChanges,
    MemoryRecoveryPoints,
)

EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:back-up:sunday"
RUN = run_id(EXECUTION)
SHOP = {
    "workload": "shop",
    "description": "Sells things.",
    "owner": "shop-team",
    "resources": {
        "orders": {"type": "dynamodb-table", "name": "{workload}-{environment}-orders"},
        "checkout": {"type": "lambda-function", "name": "{workload}-{environment}-checkout"},
        "fulfilment": {"type": "state-machine", "name": "{workload}-{environment}-fulfilment"},
        "invoices": {"type": "s3-bucket", "name": "{workload}-{environment}-invoices"},
    },
    "backup": {"tables": {"orders": {}}, "buckets": ["invoices"]},
}
DIED = RuntimeError("the room died")


class World:
    def __init__(self, fuse: Fuse | None = None) -> None:
        guard: Callable[[str, Any], Any] = fuse.guard if fuse else lambda _, port: port
        self.clock = StillClock(datetime(2026, 11, 22, 1, 30, tzinfo=UTC))
        self.workloads = {"shop": load(SHOP, {}, "production")}
        self.catalogue, self.bucket, self.state = (
            MemoryRecoveryPoints(),
            FakeBackupBucket(),
            FakeSystemState(),
        )
        self.exports, self.known_runs = FakeKeptExports(self.clock), MemoryBackupRuns()
        self.changes, self.held = MemoryConfigurationChanges(), MemoryLeases()
        self._ports = {
            "runs": guard("runs", self.known_runs),
            "points": guard("points", self.catalogue),
            "bucket": guard("bucket", self.bucket),
            "leases": guard("leases", self.held),
        }
        self._taking = {
            "changes": guard("changes", self.changes),
            "state": guard("state", self.state),
            "exports": guard("exports", self.exports),
        }

    @property
    def run(self) -> BackupRun:
        found = self.known_runs.find(RUN)
        assert found
        return found

    # -- the rooms

    def plan(self, scope: Scope = Scope.WEEKLY, execution: str = EXECUTION, **more: Any) -> BackUpResult:
        begin = BackUpBegin(workload=more.pop("workload", "shop"), scope=scope, execution=execution, **more)
        ports = {name: self._ports[name] for name in ("runs", "leases")}
        return plan_backup(begin, workloads=self.workloads, clock=self.clock, **ports)

    def take(self, execution: str = EXECUTION) -> BackUpResult:
        return take_backup(
            run_id(execution), workloads=self.workloads, clock=self.clock, **self._ports, **self._taking
        )

    def finish(self, failure: str | None = None, execution: str = EXECUTION) -> BackUpResult:
        return finish_backup(run_id(execution), failure, clock=self.clock, **self._ports)

    # -- the machine

    def play(self, scope: Scope = Scope.WEEKLY, execution: str = EXECUTION) -> BackUpResult:
        """What statemachines/back_up.asl.json does; a room that died once is called again."""
        self._until_go(lambda: self.plan(scope, execution))
        self._until_go(lambda: self.take(execution))
        return _again(lambda: self.finish(execution=execution))

    def _until_go(self, room: Callable[[], BackUpResult]) -> None:
        for _ in range(1000):
            step = _again(room)
            if step.next is not Next.WAIT:
                return
            self.clock.advance(step.wait)
        raise AssertionError("a room waits for ever")

    # -- what came of it

    def catalogued(self) -> dict[str, str]:
        """Key in the bucket by kind/source."""
        return {f"{p.kind}/{p.source}": str(p.place.key) for p in self.catalogue.all.values()}

    def document(self, kind: str, source: str) -> dict[str, Any]:
        (point,) = self.catalogue.history("shop", "production", kind, source)
        found: dict[str, Any] = json.loads(self.bucket.read(point.place))
        return found


def _again(room: Callable[[], BackUpResult]) -> BackUpResult:
    """As Retry does for a room that died."""
    try:
        return room()
    except RuntimeError as error:
        if error is not DIED:
            raise
        return room()
