"""A shop that has lost something, and `recover` played through: real use cases, the world in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from selfright.domain.errors import SourceDownError
from selfright.domain.manifest import load
from selfright.domain.recovery.record import Recovery, id_of
from selfright.domain.recovery.request import RecoverInput
from selfright.domain.recovery.steps import Go, RecoverBegin, RecoverWord
from selfright.domain.serving import AliasState, Release
from selfright.usecases.close_recovery import close_recovery
from selfright.usecases.compare_recovery import compare_recovery
from selfright.usecases.plan_recovery import plan_recovery
from selfright.usecases.put_items_back import put_items_back
from selfright.usecases.recover_code import recover_code
from selfright.usecases.recover_configuration import recover_configuration
from selfright.usecases.recover_objects import recover_objects
from selfright.usecases.recover_table import recover_table
from selfright.usecases.recovery_desk import Desk
from tests.fakes import FakeSwitchBoard, Fuse, MemoryLeases, StillClock
from tests.fakes.backups import MemoryBucket
from tests.fakes.recovering import (
    FakeKept,
    FakeLiveItems,
    FakeObjects,
    FakeSettingsBoard,
    MemoryRecoveries,
    TablesWithAPast,
)
from tests.fakes.releases import FakeLambda
from tests.unit.backup.builders import settings
from tests.unit.backup.world import orders

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
POINT = NOW - timedelta(minutes=30)
TABLE, BUCKET, FUNCTION = "shop-production-orders", "shop-production-papers", "shop-production-checkout"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:recover:r-1"
MANIFEST = {
    "workload": "shop",
    "description": "Sells things.",
    "owner": "shop-team",
    "resources": {
        "orders": {"type": "dynamodb-table", "name": "{workload}-{environment}-orders"},
        "papers": {"type": "s3-bucket", "name": "{workload}-{environment}-papers"},
        "checkout": {"type": "lambda-function", "name": "{workload}-{environment}-checkout"},
        "vault": {"type": "s3-bucket", "name": "{workload}-vault", "protected": True},
    },
    "backup": {"tables": {"orders": {"repoint": {"parameter": "/shop/settings", "field": "table"}}}},
}
APPROVED = {"approver": "bo", "at_most": 10}


def asked(**given: Any) -> RecoverInput:
    """A table, really, unless something else is said."""
    known: dict[str, Any] = {
        "workload": "shop",
        "environment": "production",
        "scenario": "table-to-point-in-time",
        "resource": "orders",
        "point": POINT,
        "requested_by": "ada",
        "reason": "a job deleted orders",
        "dry_run": False,
    }
    return RecoverInput.model_validate({k: v for k, v in {**known, **given}.items() if v is not None})


class EndlessError(BaseException):
    """A room is asked for ever; no Catch of the machine's is to hide that."""


class World:
    def __init__(self, fuse: Fuse | None = None) -> None:
        self.clock = StillClock(NOW)
        self.tables = TablesWithAPast(self.clock)
        self.tables.add(TABLE, settings(keys=("pk S HASH",)), orders(6))
        self.tables.past[TABLE] = orders(6)
        self.objects = FakeObjects(self.clock)
        self.board, self.kept = FakeSettingsBoard(), FakeKept()
        self.lambdas = FakeLambda(FUNCTION)
        self.recoveries, self.leases = MemoryRecoveries(), MemoryLeases()
        self.switches = FakeSwitchBoard()
        guard = (fuse or Fuse()).guard
        self.desk = Desk(
            {"shop": load(MANIFEST, {}, "production")},
            guard("recoveries", self.recoveries),
            guard("switches", self.switches),
            guard("leases", self.leases),
            self.clock,
        )
        self.aws: Any = guard("tables", self.tables)
        self.items: Any = guard("items", FakeLiveItems(self.tables))
        self.s3: Any = guard("objects", self.objects)
        self.reports = MemoryBucket()
        self.bucket: Any = guard("bucket", self.reports)
        self.ssm: Any = guard("board", self.board)
        self.rooms: dict[Go, Callable[[str], RecoverWord]] = {
            Go.TABLE: lambda r: recover_table(r, desk=self.desk, backups=self.aws, exports=self.aws),
            Go.COMPARE: lambda r: compare_recovery(r, desk=self.desk, exports=self.aws, items=self.items),
            Go.ITEMS: lambda r: put_items_back(r, desk=self.desk, items=self.items),
            Go.OBJECTS: lambda r: recover_objects(r, desk=self.desk, objects=self.s3),
            Go.CODE: lambda r: recover_code(
                r, desk=self.desk, functions=self.functions, versions=self.functions, kept=self.kept
            ),
            Go.CONFIGURATION: lambda r: recover_configuration(
                r, desk=self.desk, board=self.ssm, kept=self.kept
            ),
        }
        self.functions: Any = guard("lambda", Published(self.lambdas))

    def lose_orders(self) -> None:
        """Order 0 is deleted and order 1 changed since; order 9 is new."""
        (table,) = (self.tables.tables[TABLE],)
        table.items = [i for i in table.items if i["pk"] != {"S": "o-000"}]
        table.items = [{**i, "state": {"S": "lost"}} if i["pk"] == {"S": "o-001"} else i for i in table.items]
        table.items.append({"pk": {"S": "o-009"}, "state": {"S": "open"}})

    def now(self, key: str) -> dict[str, Any] | None:
        found = self.tables.read(TABLE, {"pk": {"S": key}})
        return dict(found) if found else None

    def play(self, request: RecoverInput, execution: str = EXECUTION) -> Recovery:
        """What statemachines/recover.asl.json does, with its Retry and Catch. Ends when the record is closed."""
        recovery, failure = id_of(execution), None
        try:
            begin = RecoverBegin(execution=execution, asked=request)
            word = _retried(lambda: plan_recovery(begin, desk=self.desk, backups=self.aws))
            for _ in range(1000):
                if word.next is Go.CLOSE:
                    break
                self.clock.advance(word.wait)
                room = self.rooms[word.next]
                word = _retried(lambda room=room: room(recovery))
            else:
                raise EndlessError  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - States.ALL
            failure = f"{type(error).__name__}: {error}"
        self.end: Go | None = None
        try:
            for _ in range(1000):
                word = _retried(
                    lambda: close_recovery(
                        recovery, failure, desk=self.desk, backups=self.aws, bucket=self.bucket
                    )
                )
                if word.next is not Go.CLOSE:
                    self.end = word.next
                    break
                self.clock.advance(word.wait)
        except Exception:  # noqa: BLE001 - States.ALL: Fail openly
            self.end = Go.BADLY
        found = self.recoveries.find(recovery)
        assert found is not None
        return found


class Published:
    """FakeLambda with the versions that Functions lists; each is published an hour after the one before."""

    def __init__(self, functions: FakeLambda) -> None:
        self._functions = functions

    def releases(self, function: str) -> list[Release]:
        known = sorted(self._functions.functions[function].builds, key=int, reverse=True)
        return [
            Release(version=v, published_at=NOW - timedelta(hours=10) + timedelta(hours=int(v)))
            for v in known
        ]

    def alias(self, function: str, alias: str) -> AliasState:
        return self._functions.alias(function, alias)

    def __getattr__(self, method: str) -> Any:
        return getattr(self._functions, method)


def _retried(room: Callable[[], RecoverWord]) -> RecoverWord:
    """As Retry does for what may be repeated."""
    try:
        return room()
    except SourceDownError:
        return room()
