"""Tables that can be restored and exported, in memory: slow, asynchronous, and forgetful of settings like AWS's."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sandbox.emulator.dynamodb_export_files import Export, objects
from selfright.backup_ports import Item, StoredExport
from selfright.domain.backup.history import Measured
from selfright.domain.backup.restore_test import ISOLATED, ExportedTable, RecoveryWindow, RestoreTest
from selfright.domain.backup.settings import TableSettings, may_be_put_back, own_tags
from selfright.domain.backup.steps import StoredList, VerifyBackupInput
from selfright.domain.digest import Manifest, read_manifest
from selfright.domain.errors import BusyError, ConflictError, NotFoundError, RefusedError
from tests.fakes.aws import StillClock

LAG = timedelta(minutes=5)
RESTORE = timedelta(minutes=20)
EXPORT = timedelta(minutes=5)


class FakeTable:
    def __init__(self, settings: TableSettings, items: Sequence[Item], since: datetime) -> None:
        self.settings = settings
        self.items = [dict(item) for item in items]
        self.ready_at = since
        self.deleting = 0  # looks until it is gone


class FakeBackups:
    """TableBackups, TableExports, CopiedItems and Sentinels over the same tables."""

    def __init__(self, clock: StillClock) -> None:
        self.clock = clock
        self.tables: dict[str, FakeTable] = {}
        self.refuse: dict[str, str] = {}  # method -> AWS's reason
        self.forgets: set[str] = set()  # settings that cannot be put back, without a word
        self.lose_in_restore: list[str] = []  # keys
        self.points: list[tuple[str, datetime | None]] = []  # what was asked for, and as of when
        self._exports: dict[str, FakeExport] = {}

    def add(self, name: str, settings: TableSettings, items: Sequence[Item]) -> FakeTable:
        self.tables[name] = FakeTable(settings, items, self.clock.now())
        return self.tables[name]

    # -- TableBackups

    def window(self, table: str) -> RecoveryWindow | None:
        days = self._table(table).settings.point_in_time_recovery_days
        if days is None:
            return None
        now = self.clock.now()
        return RecoveryWindow(earliest=now - timedelta(days=days), latest=now - LAG, days=days)

    def restore(self, table: str, copy: str, point: datetime) -> None:
        self._refuse("restore")
        self.points.append(("restore", point))
        if copy in self.tables:
            return
        source = self._table(table)
        dropped = {
            "time_to_live": None,
            "stream": None,
            "tags": {},
            "point_in_time_recovery_days": None,
            "deletion_protection": False,
            "table_class": "STANDARD",
            "autoscaling": {},
            "resource_policy": None,
            "replicas": (),
        }
        kept = [item for item in source.items if next(iter(item["pk"].values())) not in self.lose_in_restore]
        made = self.add(copy, source.settings.model_copy(update=dropped), kept)
        made.ready_at = self.clock.now() + RESTORE

    def ready(self, copy: str) -> bool:
        return self.clock.now() >= self._table(copy).ready_at

    def mark(self, copy: str, test: str) -> None:
        found = self._usable(copy)
        tags = {**found.settings.tags, "selfright:restore-test": test}
        self._change(copy, tags=tags, point_in_time_recovery_days=35)

    def keys(self, table: str) -> tuple[str, ...]:
        return self._table(table).settings.keys

    def settings(self, table: str) -> TableSettings:
        return self._table(table).settings

    def put_back(self, copy: str, wanted: TableSettings) -> None:
        self._refuse("put_back")
        found = self._usable(copy).settings
        back = {
            name: getattr(wanted, name)
            for name in ("time_to_live", "stream", "point_in_time_recovery_days", "deletion_protection")
            if name not in self.forgets
        }
        if wanted.resource_policy and may_be_put_back(wanted.resource_policy):
            back["resource_policy"] = wanted.resource_policy
        tags = {**found.tags, **own_tags(wanted.tags)}
        self._change(copy, **back, tags=tags, table_class=wanted.table_class)

    def copies(self) -> Sequence[str]:
        return [name for name in self.tables if name.startswith(ISOLATED)]

    def delete(self, copy: str) -> bool:
        assert copy.startswith(ISOLATED)
        if copy not in self.tables:
            return True
        if not self.ready(copy):
            return False
        self.tables[copy].deleting += 1
        if self.tables[copy].deleting > 1:
            del self.tables[copy]
            return True
        return False

    # -- TableExports

    def begin(self, table: str, point: datetime | None, token: str) -> ExportedTable:
        self._refuse("begin")
        self.points.append((token.rpartition("-")[2], point))
        if token not in self._exports:
            found = self._usable(table)
            if found.settings.point_in_time_recovery_days is None:
                raise RefusedError("point-in-time recovery is off")
            self._exports[token] = FakeExport(table, found.items, self.clock.now())
        return ExportedTable(arn=f"arn:export/{token}", folder=token)

    def done(self, export: ExportedTable) -> bool:
        self._refuse("done")
        return self.clock.now() >= self._exports[export.folder].began + EXPORT

    def open(self, export: ExportedTable) -> StoredExport:
        return self._exports[export.folder]

    def lose(self, export: ExportedTable, name: str) -> None:
        found = self._exports[export.folder]
        (found.files if name.startswith("data/") else found.manifests).pop(name.rpartition("/")[2], None)

    def touch(self, export: ExportedTable, name: str) -> None:
        self._exports[export.folder].files[name.removeprefix("data/")] += gzip.compress(b"")

    # -- CopiedItems

    def first(self, copy: str) -> Item | None:
        items = self._usable(copy).items
        return items[0] if items else None

    def put(self, copy: str, item: Item) -> None:
        assert copy.startswith(ISOLATED)
        self._without(copy, item)
        self.tables[copy].items.append(dict(item))

    def remove(self, copy: str, key: Item) -> None:
        assert copy.startswith(ISOLATED)
        self._without(copy, key)

    # -- Sentinels

    def write(self, table: str, item: Item) -> None:
        self._without(table, item)
        self.tables[table].items.append(dict(item))

    def _without(self, copy: str, key: Item) -> None:
        found = self._usable(copy)
        found.items = [item for item in found.items if item["pk"] != key["pk"]]

    def _change(self, name: str, **changes: Any) -> None:
        table = self._table(name)
        table.settings = table.settings.model_copy(update=changes)

    def _table(self, name: str) -> FakeTable:
        if name not in self.tables:
            raise NotFoundError(f"Table not found: {name}")
        return self.tables[name]

    def _usable(self, name: str) -> FakeTable:
        found = self._table(name)
        if self.clock.now() < found.ready_at:
            raise BusyError(f"{name} is being created")
        return found

    def _refuse(self, method: str) -> None:
        if reason := self.refuse.get(method):
            raise RefusedError(reason)


class FakeExport:
    """An export with real files; `files` may be damaged by a test."""

    def __init__(self, table: str, items: Sequence[Item], began: datetime) -> None:
        self.began = began
        export = Export(
            arn=f"arn:aws:dynamodb:eu-central-1:123456789012:table/{table}/export/0",
            table_arn=table,
            table_id=table,
            moment=0.0,
            began=0.0,
            bucket="bucket",
            prefix="",
            encryption="AES256",
            key_id=None,
        )
        written = dict(objects(export, [(str(item["pk"]), dict(item)) for item in items], 0, 0.0))
        names = {key.rpartition("/")[2]: content for key, content in written.items()}
        self.manifests = {name: content for name, content in names.items() if name.startswith("manifest")}
        self.files = {name: content for name, content in names.items() if name.endswith(".gz")}

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.manifests)

    @property
    def present(self) -> Collection[str]:
        return self.files.keys()

    def read(self, part: str) -> Iterable[bytes]:
        return [self.files[part]]


class MemoryRestoreTests:
    def __init__(self) -> None:
        self.tests: dict[str, RestoreTest] = {}
        self.hashes: dict[tuple[str, str], str] = {}
        self.measured: dict[tuple[str, str, str], list[Measured]] = {}

    def find(self, test: str) -> RestoreTest | None:
        return self.tests.get(test)

    def save(self, test: RestoreTest) -> None:
        self.tests[test.id] = copy.deepcopy(test)

    def newest_hash(self, workload: str, environment: str) -> str | None:
        return self.hashes.get((workload, environment))

    def history(self, workload: str, environment: str, resource: str, limit: int) -> Sequence[Measured]:
        found = self.measured.get((workload, environment, resource), [])
        return found[::-1][:limit]

    def conclude(
        self, test: RestoreTest, measured: Measured | None, previous: str | None, newest: str
    ) -> None:
        if self.newest_hash(test.workload, test.environment) != previous:
            raise ConflictError("another came first")
        self.hashes[test.workload, test.environment] = newest
        if measured:
            self.measured.setdefault((test.workload, test.environment, test.resource), []).append(measured)
        self.save(test)


class MemoryBucket:
    def __init__(self) -> None:
        self.objects: dict[str, str] = {}

    def write(self, key: str, text: str, content_type: str) -> None:
        assert content_type.partition(";")[0] in ("application/json", "text/html")
        self.objects[key] = text


class MemoryPartResults:
    def __init__(self) -> None:
        self.objects: dict[str, str] = {}
        self.written: list[str] = []

    def write(self, key: str, document: Any) -> StoredList:
        self.objects[key] = json.dumps(document)
        self.written.append(key)
        return StoredList(bucket="evidence", key=key)

    def read(self, key: str) -> Any:
        if key not in self.objects:
            raise NotFoundError(f"NoSuchKey: {key}")
        return json.loads(self.objects[key])


class FakeExecutions:
    """What is started, once each, and what runs."""

    def __init__(self, *running: str) -> None:
        self.now_running = set(running)
        self.started: dict[str, VerifyBackupInput] = {}

    def start(self, name: str, asked: VerifyBackupInput) -> None:
        self.started.setdefault(name, asked)

    def running(self, execution: str) -> bool:
        return execution in self.now_running
