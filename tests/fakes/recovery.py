"""The ports of back_up in memory: a catalogue, a bucket that can spoil what is written, a workload to read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from typing import IO, Any

from selfright.domain.backup.catalogue import Changes, Place, RecoveryPoint, Tier
from selfright.domain.backup.restore_test import ExportedTable
from selfright.domain.backup.run import BackUpInput, BackupRun
from selfright.domain.errors import NotFoundError, RefusedError
from selfright.domain.manifest import Workload
from selfright.recovery_ports import Package, Stored, StoredExportFiles
from tests.fakes.aws import StillClock

EXPORT = timedelta(minutes=5)


class MemoryRecoveryPoints:
    def __init__(self) -> None:
        self.all: dict[tuple[str, str, str], RecoveryPoint] = {}
        self.last: dict[tuple[str, str], RecoveryPoint] = {}

    def record(self, point: RecoveryPoint) -> None:
        self.all[point.kind, point.source, point.run] = point
        if point.tier is Tier.WARM:
            self.record_newest(point)

    def record_newest(self, point: RecoveryPoint) -> None:
        there = self.last.get((point.kind, point.source))
        if there is None or there.taken_at <= point.taken_at:
            self.last[point.kind, point.source] = point

    def newest(self, workload: str, environment: str) -> Sequence[RecoveryPoint]:
        return [p for p in self.last.values() if (p.workload, p.environment) == (workload, environment)]

    def history(self, workload: str, environment: str, kind: str, source: str) -> Sequence[RecoveryPoint]:
        wanted = (workload, environment, kind, source)
        found = [p for p in self.all.values() if (p.workload, p.environment, p.kind, p.source) == wanted]
        return sorted(found, key=lambda point: point.run_began_at, reverse=True)


class MemoryConfigurationChanges:
    def __init__(self) -> None:
        self.changes: dict[tuple[str, str], Changes] = {}

    def mark(self, workload: str, environment: str, at: datetime) -> None:
        there = self.changes.get((workload, environment))
        self.changes[workload, environment] = Changes(first=there.first if there else at, last=at)

    def covered(self, workload: str, environment: str, until: datetime) -> None:
        there = self.changes.get((workload, environment))
        if there and there.last <= until:
            del self.changes[workload, environment]
        elif there:
            self.changes[workload, environment] = Changes(first=max(there.first, until), last=there.last)

    def pending(self, workload: str, environment: str) -> Changes | None:
        return self.changes.get((workload, environment))


class MemoryBackupRuns:
    def __init__(self) -> None:
        self.runs: dict[str, BackupRun] = {}

    def find(self, run: str) -> BackupRun | None:
        return self.runs.get(run)

    def save(self, run: BackupRun) -> None:
        self.runs[run.id] = run


class RecordingBackups:
    """Each name starts once, as execution names do."""

    def __init__(self) -> None:
        self.started: dict[str, BackUpInput] = {}

    def start(self, name: str, asked: BackUpInput) -> None:
        self.started.setdefault(name, asked)


class FakeBackupBucket:
    def __init__(self) -> None:
        self.objects: dict[str, list[bytes]] = {}  # versions by key, oldest first
        self.asked: dict[str, tuple[str, Tier]] = {}

    def put(self, key: str, content: IO[bytes], content_type: str, tier: Tier) -> Stored:
        body = content.read()
        self.asked[key] = (content_type, tier)
        self.objects.setdefault(key, []).append(body)
        place = Place(bucket="backups", key=key, version=str(len(self.objects[key])))
        return Stored(place, len(body), hashlib.sha256(body).hexdigest())

    def read(self, place: Place) -> bytes:
        return self.objects[str(place.key)][int(str(place.version)) - 1]


class FakeKeptExports:
    def __init__(self, clock: StillClock) -> None:
        self._clock = clock
        self._begun: dict[str, tuple[ExportedTable, datetime]] = {}  # by token
        self.fails: str | None = None
        self.items = 3

    @property
    def begun(self) -> int:
        return len(self._begun)

    def begin(self, table: str, folder: str, token: str) -> ExportedTable:
        export = ExportedTable(arn=f"arn:{table}/export/{token}", folder=f"{folder}/AWSDynamoDB/{token}")
        return self._begun.setdefault(token, (export, self._clock.now()))[0]

    def stored(self, export: ExportedTable) -> StoredExportFiles | None:
        began = next(at for found, at in self._begun.values() if found == export)
        if self.fails:
            raise RefusedError(self.fails)
        if self._clock.now() < began + EXPORT:
            return None
        place = Place(bucket="backups", key=f"{export.folder}/manifest-files.json", version="1")
        return StoredExportFiles(Stored(place, 10, "0" * 64), began, self.items, 100)


class FakeSystemState:
    def __init__(self) -> None:
        self.settings = {"cache": "on"}
        self.gone: set[str] = set()

    def configuration(self, workload: Workload) -> dict[str, Any]:
        self._there("configuration")
        return {"owner": workload.owner, "parameters": dict(self.settings)}

    def template(self, stack: str) -> dict[str, Any]:
        self._there(stack)
        return {"original": "Resources: {}", "processed": "Resources: {}"}

    def state_machine(self, name: str) -> dict[str, Any]:
        self._there(name)
        return {"definition": "{}"}

    def package(self, function: str, alias: str) -> Package:
        self._there(function)
        return Package(BytesIO(f"code of {function}:{alias}".encode()), "7", "hash")

    def objects(self, bucket: str, as_of: datetime) -> Iterator[dict[str, Any] | None]:
        self._there(bucket)
        yield {"Key": "a", "VersionId": "1", "LastModified": as_of}
        yield None
        yield {"Key": "b", "VersionId": "2", "LastModified": as_of}

    def _there(self, name: str) -> None:
        if name in self.gone:
            raise NotFoundError(f"there is no {name}")
