"""A shop whose orders are backed up, and `verify_backup` played through: real use cases, tables in memory."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from selfright.backup_ports import Item
from selfright.domain.backup.restore_test import RestoreTest, copy_name, id_of
from selfright.domain.backup.steps import Next, PartToRead, RestoreBegin, RestoreStepResult
from selfright.domain.errors import SourceDownError
from selfright.domain.manifest import load
from selfright.usecases.clean_up_restore import clean_up_restore
from selfright.usecases.compare_copy import compare_copy
from selfright.usecases.read_part import read_part
from selfright.usecases.record_evidence import record_evidence
from selfright.usecases.restore_backup import restore_backup
from selfright.usecases.verify_copy import verify_copy
from selfright.usecases.watch_exports import watch_exports
from selfright.usecases.watch_restore import watch_restore
from tests.fakes import Fuse, StillClock
from tests.fakes.backups import FakeBackups, MemoryBucket, MemoryPartResults, MemoryRestoreTests
from tests.unit.backup.builders import settings

EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:verify-backup:nightly-1"
TABLE = "shop-production-orders"
TEST = id_of(EXECUTION)
COPY = copy_name(TEST, TABLE)
MANIFEST = {
    "workload": "shop",
    "description": "Sells things.",
    "owner": "shop-team",
    "resources": {"orders": {"type": "dynamodb-table", "name": "{workload}-{environment}-orders"}},
    "backup": {
        "tables": {
            "orders": {
                "invariants": [
                    {"name": "there are orders", "at_least_items": 1},
                    {"name": "every order has a state", "attribute": "state", "type": "S"},
                ]
            }
        }
    },
}


def orders(number: int) -> list[Item]:
    return [{"pk": {"S": f"o-{n:03}"}, "state": {"S": "open"}, "total": {"N": str(n)}} for n in range(number)]


class World:
    def __init__(
        self, items: Sequence[Item] | None = None, *, fuse: Fuse | None = None, **changed: Any
    ) -> None:
        self.clock = StillClock(datetime(2026, 11, 23, 3, 0, tzinfo=UTC))
        self.workloads = {"shop": load(MANIFEST, {}, "production")}
        self.backups: Any = FakeBackups(self.clock)
        self.tests: Any = MemoryRestoreTests()
        self.bucket: Any = MemoryBucket()
        self.results: Any = MemoryPartResults()
        self.table = self.backups.add(
            TABLE, settings(**{"keys": ("pk S HASH",)} | changed), orders(40) if items is None else items
        )
        self.words: list[str] = []
        self.readings: list[int] = []  # of all parts, as they were made
        guard = (fuse or Fuse()).guard
        self.aws: Any = guard("backups", self.backups)
        self.record_of: Any = guard("tests", self.tests)
        self.shelf: Any = guard("bucket", self.bucket)
        self.desk: Any = guard("results", self.results)
        self.twice = False  # each part is read twice

    # -- the rooms

    def begin(self, plant: str | None = None, execution: str = EXECUTION) -> RestoreStepResult:
        asked = {"workload": "shop", "table": "orders", "plant": plant, "execution": execution}
        return restore_backup(
            RestoreBegin.model_validate(asked),
            workloads=self.workloads,
            backups=self.aws,
            tests=self.record_of,
            clock=self.clock,
        )

    def watch_restore(self, test: str = TEST) -> RestoreStepResult:
        return watch_restore(
            test,
            workloads=self.workloads,
            backups=self.aws,
            exports=self.aws,
            items=self.aws,
            tests=self.record_of,
            clock=self.clock,
        )

    def watch_exports(self, test: str = TEST) -> RestoreStepResult:
        return watch_exports(test, backups=self.aws, exports=self.aws, tests=self.record_of, clock=self.clock)

    def compare(self, test: str = TEST, again: Callable[..., Any] = lambda room: room()) -> RestoreStepResult:
        """The loop of the machine: compare, have all parts read, compare. `again`: how each room is called."""
        read = 0
        while True:
            step: RestoreStepResult = again(
                lambda read=read: compare_copy(
                    test, read, exports=self.aws, results=self.desk, tests=self.record_of
                )
            )
            if step.next is not Next.READ:
                return step
            assert step.parts is not None
            for item in self.results.read(step.parts.key) * (1 + self.twice):
                again(lambda item=item: self._read(PartToRead.model_validate(item)))
            self.readings.append(step.reading)
            read = step.reading

    def _read(self, part: PartToRead) -> None:
        read_part(part, workloads=self.workloads, exports=self.aws, results=self.desk, tests=self.record_of)

    def verify(self, test: str = TEST) -> RestoreStepResult:
        return verify_copy(
            test, workloads=self.workloads, backups=self.aws, exports=self.aws, tests=self.record_of
        )

    def record(self, test: str = TEST, failure: str | None = None) -> RestoreStepResult:
        return record_evidence(
            test,
            failure,
            workloads=self.workloads,
            tests=self.record_of,
            bucket=self.shelf,
            clock=self.clock,
        )

    def clean_up(self, test: str = TEST) -> RestoreStepResult:
        return clean_up_restore(test, backups=self.aws, tests=self.record_of, clock=self.clock)

    # -- the machine

    def play(self, plant: str | None = None, execution: str = EXECUTION) -> RestoreTest:
        """What statemachines/verify_backup.asl.json does, without failures. Ends when the copy is gone."""
        test = id_of(execution)
        step = self.begin(plant, execution)
        for room in (self.watch_restore, self.watch_exports, self.compare, self.verify):
            if step.next is Next.RECORD:
                break
            step = self._wait_for(room, test)
        self.record(test)
        self.words.append(self._wait_for(self.clean_up, test).next)
        found: RestoreTest = self.tests.find(test)
        return found

    def play_through(self) -> bool:
        """The same with the machine's Retry and Catch; whether the execution succeeded."""
        failure = None
        try:
            step = _retried(self.begin)
            for room in (self.watch_restore, self.watch_exports):
                if step.next is Next.RECORD:
                    break
                step = self._wait_for(lambda test, room=room: _retried(lambda: room(test)), TEST)
            if step.next is not Next.RECORD:
                self.compare(again=_retried)
                _retried(self.verify)
        except Exception as error:  # noqa: BLE001 - States.ALL
            failure = f"{type(error).__name__}: {error}"
        with contextlib.suppress(Exception):  # States.ALL: clean up all the same
            _retried(lambda: self.record(failure=failure))
        try:
            return self._wait_for(lambda test: _retried(lambda: self.clean_up(test)), TEST).next is Next.HOPED
        except Exception:  # noqa: BLE001 - States.ALL
            return False

    def _wait_for(self, room: Any, test: str) -> RestoreStepResult:
        for _ in range(1000):
            step: RestoreStepResult = room(test)
            if step.next is not Next.WAIT:
                return step
            self.clock.advance(step.wait)
        raise AssertionError("a room waits for ever")

    def evidence(self) -> dict[str, Any]:
        """The newest document."""
        documents = [text for key, text in self.bucket.objects.items() if key.endswith(".json")]
        found: dict[str, Any] = json.loads(documents[-1])
        return found

    def verdicts(self) -> dict[str, str]:
        return {check["name"]: check["verdict"] for check in self.evidence()["checks"]}

    def reason(self, check: str) -> str:
        return next(str(each["reason"]) for each in self.evidence()["checks"] if each["name"] == check)


def _retried(room: Callable[[], Any]) -> Any:
    """As Retry does for what may be repeated."""
    try:
        return room()
    except SourceDownError:
        return room()
