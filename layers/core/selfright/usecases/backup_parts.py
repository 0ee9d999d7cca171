"""How each kind of part of a backup is taken: read, written to the run's folder, and read back."""

from __future__ import annotations

import gzip
import json
import tempfile
from datetime import datetime, timedelta
from io import BytesIO
from typing import IO, Any

from selfright.domain.backup.catalogue import PointKind, RecoveryPoint
from selfright.domain.backup.run import BackupRun, Part
from selfright.domain.errors import RefusedError
from selfright.domain.manifest import Workload
from selfright.domain.manifest.resources import LambdaFunction
from selfright.ports import Clock
from selfright.recovery_ports import BackupBucket, KeptExports, Stored, SystemState

IN_MEMORY = 8 * 1024 * 1024  # bytes of an inventory, before it goes to a file
JSON_TYPE, GZIP_TYPE, ZIP_TYPE = "application/json", "application/gzip", "application/zip"


class Taker:
    """Takes one part. `now` of the run's clock is asked right before anything is read: a point is never younger."""

    def __init__(
        self,
        workload: Workload,
        *,
        state: SystemState,
        bucket: BackupBucket,
        exports: KeptExports,
        clock: Clock,
    ) -> None:
        self._workload, self._state, self._bucket = workload, state, bucket
        self._exports, self._clock = exports, clock

    def take(self, run: BackupRun, part: Part) -> RecoveryPoint:
        """Write it, verified. Raises NotFoundError, RefusedError, SourceDownError."""
        now = self._clock.now()
        match part.kind:
            case PointKind.CONFIGURATION:
                return self._document(run, part, now, self._state.configuration(self._workload))
            case PointKind.TEMPLATE:
                return self._document(run, part, now, self._state.template(part.source))
            case PointKind.STATE_MACHINE:
                name = self._workload.resource(part.source).name
                return self._document(run, part, now, self._state.state_machine(name))
            case PointKind.FUNCTION_CODE:
                return self._package(run, part, now)
            case PointKind.OBJECT_INVENTORY:
                return self._inventory(run, part, now)
            case _:
                raise RefusedError(f"{part.kind} is not taken by a run")

    def begin_export(self, run: BackupRun, part: Part) -> dict[str, Any]:
        """What is to be written down of an export that is begun. One that was begun before is the same one."""
        table = self._workload.resource(part.source).name
        folder = f"{run.folder}/{part.kind}/{part.source}"
        return {"export": self._exports.begin(table, folder, f"{run.id}-{part.source}")}

    def finish_export(self, run: BackupRun, part: Part) -> RecoveryPoint | None:
        """None while it is under way."""
        if part.export is None:
            raise ValueError(f"{part.source} is not being exported")
        found = self._exports.stored(part.export)
        if found is None:
            return None
        details = {"export": part.export.folder, "items": found.items, "bytes": found.size}
        return self._point(run, part, found.as_of, found.manifest, details)

    def _document(self, run: BackupRun, part: Part, now: datetime, content: dict[str, Any]) -> RecoveryPoint:
        head = {
            "format": f"selfright-{part.kind}/1",
            "workload": run.workload,
            "environment": run.environment,
            "source": part.source,
            "taken_at": now.isoformat(),
        }
        name = f"{part.kind}" if part.kind is PointKind.CONFIGURATION else f"{part.kind}/{part.source}"
        stored = self.put_json(run, f"{name}.json", {**head, **content})
        return self._point(run, part, now, stored, {})

    def put_json(self, run: BackupRun, name: str, document: dict[str, Any]) -> Stored:
        text = json.dumps(document, indent=1, ensure_ascii=False, default=_plain) + "\n"
        content = BytesIO(text.encode())
        return self._bucket.put(f"{run.folder}/{name}", content, JSON_TYPE, run.scope.tier)

    def _package(self, run: BackupRun, part: Part, now: datetime) -> RecoveryPoint:
        function = self._workload.resource(part.source)
        if not isinstance(function, LambdaFunction):
            raise RefusedError(f"{part.source} is no function")
        found = self._state.package(function.name, function.alias)
        with found.content as content:
            key = f"{run.folder}/{part.kind}/{part.source}.zip"
            stored = self._bucket.put(key, content, ZIP_TYPE, run.scope.tier)
        return self._point(
            run, part, now, stored, {"version": found.version, "code_sha256": found.code_sha256}
        )

    def _inventory(self, run: BackupRun, part: Part, now: datetime) -> RecoveryPoint:
        # S3 knows moments by the second: as of a whole second that is over, nothing can be added any more.
        as_of = (now - timedelta(seconds=1)).replace(microsecond=0)
        found = self._state.objects(self._workload.resource(part.source).name, as_of)
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as content:
            objects = changed = 0
            with gzip.GzipFile(fileobj=content, mode="wb", mtime=0) as lines:
                for each in found:
                    if each is None:
                        changed += 1
                    else:
                        objects += 1
                        lines.write(json.dumps(each, ensure_ascii=False, default=_plain).encode() + b"\n")
            content.seek(0)
            key = f"{run.folder}/{part.kind}/{part.source}.jsonl.gz"
            stored = self._bucket.put(key, _as_file(content), GZIP_TYPE, run.scope.tier)
        return self._point(run, part, as_of, stored, {"objects": objects, "changed": changed})

    @staticmethod
    def _point(
        run: BackupRun, part: Part, taken_at: datetime, stored: Stored, details: dict[str, Any]
    ) -> RecoveryPoint:
        return point_of(run, (part.kind, part.source), taken_at, stored, details)


def point_of(
    run: BackupRun,
    item: tuple[PointKind, str],
    taken_at: datetime,
    stored: Stored,
    details: dict[str, Any],
) -> RecoveryPoint:
    """What is catalogued of an item of a run, kind and source."""
    kind, source = item
    return RecoveryPoint(
        workload=run.workload,
        environment=run.environment,
        run=run.id,
        run_began_at=run.began_at,
        kind=kind,
        source=source,
        taken_at=taken_at,
        place=stored.place,
        sha256=stored.sha256,
        size=stored.size,
        tier=run.scope.tier,
        details=details,
    )


def _plain(value: Any) -> str:
    """AWS answers with moments."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")


def _as_file(content: Any) -> IO[bytes]:
    """A spooled file is one in all but its type."""
    file: IO[bytes] = content
    return file
