"""End a backup: a complete one gets its manifest, one that is not makes people hear of it."""

from __future__ import annotations

import json
from io import BytesIO

from selfright.domain.backup.catalogue import PointKind
from selfright.domain.backup.run import BackUpResult, BackupRun, PartState
from selfright.domain.backup.steps import Next
from selfright.ports import Clock, Leases
from selfright.recovery_ports import BackupBucket, BackupRuns, RecoveryPoints
from selfright.usecases.backup_parts import JSON_TYPE, point_of


def finish_backup(
    run_id: str,
    failure: str | None,
    *,
    runs: BackupRuns,
    points: RecoveryPoints,
    bucket: BackupBucket,
    leases: Leases,
    clock: Clock,
) -> BackUpResult:
    """Catalogue the whole, where it is whole, and give the lock back. A repetition changes nothing.

    `failure` is set where a station failed for good. Raises RefusedError, SourceDownError.
    """
    run = runs.find(run_id)
    if run is None:  # it never got its lock: nothing was taken
        return BackUpResult(next=Next.ALARM, run=run_id)
    if run.ended_at is None:
        if run.complete and failure is None and run.scope.whole:
            _catalogue_whole(run, points, bucket, clock)
        run = run.model_copy(update={"ended_at": clock.now(), "failure": failure})
        runs.save(run)
    leases.release(run.target, run.id)
    return BackUpResult(
        next=Next.HOPED if run.complete and run.failure is None else Next.ALARM,
        run=run.id,
        taken=run.count(PartState.TAKEN),
        failed=len(run.parts) - run.count(PartState.TAKEN),
    )


def _catalogue_whole(run: BackupRun, points: RecoveryPoints, bucket: BackupBucket, clock: Clock) -> None:
    """The manifest is written last. As of when: the oldest of its points."""
    text = json.dumps(run.manifest(clock.now()), indent=1, ensure_ascii=False) + "\n"
    key = f"{run.folder}/manifest.json"
    stored = bucket.put(key, BytesIO(text.encode()), JSON_TYPE, run.scope.tier)
    oldest = min(part.point.taken_at for part in run.parts if part.point)
    details = {"points": len(run.parts)}
    points.record(point_of(run, (PointKind.SYSTEM_STATE, run.workload), oldest, stored, details))
