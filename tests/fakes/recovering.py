"""Recoveries, objects with versions, settings and kept points, in memory."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import datetime

from selfright.backup_ports import Item
from selfright.domain.backup.catalogue import PointKind, RecoveryPoint
from selfright.domain.backup.restore_test import ExportedTable
from selfright.domain.errors import ConflictError, RefusedError
from selfright.domain.manifest import Environment
from selfright.domain.recovery.objects import ObjectVersion
from selfright.domain.recovery.record import Recovery
from selfright.domain.recovery.settings import Setting
from tests.fakes.aws import StillClock
from tests.fakes.backups import FakeBackups, FakeExport


class MemoryRecoveries:
    def __init__(self) -> None:
        self.kept: dict[str, Recovery] = {}

    def find(self, recovery: str) -> Recovery | None:
        return self.kept.get(recovery)

    def save(self, recovery: Recovery) -> None:
        # As the ledger keeps it: what does not survive being written is not there when a room reads it.
        self.kept[recovery.id] = Recovery.model_validate_json(recovery.model_dump_json())

    def newest(self, workload: str, environment: Environment, limit: int) -> Sequence[Recovery]:
        ours = [
            r
            for r in self.kept.values()
            if (r.asked.workload, r.asked.environment) == (workload, environment)
        ]
        return sorted(ours, key=lambda r: r.began_at, reverse=True)[:limit]


class TablesWithAPast(FakeBackups):
    """Restores and exports of a point give what `past` holds; LiveItems over the same tables, by their `pk`."""

    def __init__(self, clock: StillClock) -> None:
        super().__init__(clock)
        self.past: dict[str, list[Item]] = {}
        self.writes: list[str] = []

    def restore(self, table: str, copy: str, point: datetime) -> None:
        new = copy not in self.tables
        super().restore(table, copy, point)
        if new:
            self.tables[copy].items = [dict(i) for i in self.past[table]]

    def begin(self, table: str, point: datetime | None, token: str) -> ExportedTable:
        found = super().begin(table, point, token)
        if point is not None:
            self._exports[token] = FakeExport(table, self.past[table], self.clock.now())
        return found

    def read(self, table: str, key: Item) -> Item | None:
        return next((dict(i) for i in self._usable(table).items if i["pk"] == key["pk"]), None)

    def put_live(self, table: str, key: Item, item: Item, seen: Item | None) -> None:
        if self.read(table, key) != seen:
            raise ConflictError("it is not as it was seen")
        self._without(table, key)
        self.tables[table].items.append(dict(item))
        self.writes.append(table)

    def remove_live(self, table: str, key: Item, seen: Item) -> None:
        if self.read(table, key) != seen:
            raise ConflictError("it is not as it was seen")
        self._without(table, key)
        self.writes.append(table)


class FakeLiveItems:
    def __init__(self, tables: TablesWithAPast) -> None:
        self._tables = tables

    def read(self, table: str, key: Item) -> Item | None:
        return self._tables.read(table, key)

    def put(self, table: str, key: Item, item: Item, seen: Item | None) -> None:
        self._tables.put_live(table, key, item, seen)

    def remove(self, table: str, key: Item, seen: Item) -> None:
        self._tables.remove_live(table, key, seen)


class FakeObjects:
    """One bucket. Newest first for each key, as S3 lists them."""

    def __init__(self, clock: StillClock) -> None:
        self.clock = clock
        self.history: dict[str, list[ObjectVersion]] = {}
        self.versioned = True

    def put(self, key: str, etag: str, *, marker: bool = False) -> ObjectVersion:
        past = self.history.setdefault(key, [])
        made = ObjectVersion(
            key=key,
            version=f"{key}-{len(past)}",
            at=self.clock.now(),
            marker=marker,
            size=len(etag),
            etag=etag,
        )
        past.insert(0, made)
        self.clock.advance(1)
        return made

    def versions(self, bucket: str, prefix: str) -> Sequence[ObjectVersion]:
        if not self.versioned:
            raise RefusedError(f"bucket {bucket} keeps no versions")
        return [v for key, past in sorted(self.history.items()) if key.startswith(prefix) for v in past]

    def copy_back(self, bucket: str, key: str, version: str) -> None:
        del bucket
        self.put(key, next(v.etag for v in self.history[key] if v.version == version))


class FakeSettingsBoard:
    def __init__(self) -> None:
        self.now: dict[str, str] = {}

    def read(self, setting: Setting) -> str | None:
        return self.now.get(str(setting))

    def write(self, setting: Setting) -> None:
        self.now[str(setting)] = setting.value


class FakeKept:
    def __init__(self) -> None:
        self.points: list[tuple[RecoveryPoint, bytes]] = []

    def newest(
        self, workload: str, environment: Environment, kind: PointKind, source: str, at: datetime
    ) -> RecoveryPoint | None:
        del workload, environment
        alike = [p for p, _ in self.points if (p.kind, p.source) == (kind, source) and p.taken_at <= at]
        return max(alike, key=lambda p: p.taken_at, default=None)

    def read(self, point: RecoveryPoint) -> bytes:
        return next(copy.copy(body) for p, body in self.points if p == point)
