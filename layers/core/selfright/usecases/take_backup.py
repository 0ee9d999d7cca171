"""Take the parts of a backup one after another; each is catalogued once it was read back and found whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from selfright.domain.backup.catalogue import PointKind
from selfright.domain.backup.run import TRIES, BackUpResult, BackupRun, PartState
from selfright.domain.backup.steps import Next
from selfright.domain.errors import NotFoundError, RefusedError, SelfrightError
from selfright.domain.manifest import Workload
from selfright.ports import Clock, Leases
from selfright.recovery_ports import (
    BackupBucket,
    BackupRuns,
    ConfigurationChanges,
    KeptExports,
    RecoveryPoints,
    SystemState,
)
from selfright.usecases.backup_parts import Taker
from selfright.usecases.plan_backup import hold

POLL_SECONDS = 60  # between two looks at exports, and before what failed is tried again
# Then the next invocation goes on, so that one long part has nine minutes left.
WORK_FOR = timedelta(minutes=5)


def take_backup(
    run_id: str,
    *,
    workloads: Mapping[str, Workload],
    runs: BackupRuns,
    points: RecoveryPoints,
    changes: ConfigurationChanges,
    leases: Leases,
    state: SystemState,
    bucket: BackupBucket,
    exports: KeptExports,
    clock: Clock,
) -> BackUpResult:
    """Go on with every part that waits. One that fails for good holds up no other.

    Raises NotFoundError where there is no such run, ConflictError where another holds its lock, SourceDownError where
    the ledger cannot be read or written.
    """
    run = runs.find(run_id)
    if run is None:
        raise NotFoundError(f"there is no backup run {run_id}")
    until = clock.now() + WORK_FOR
    hold(run, leases, clock.now())
    taker = Taker(workloads[run.workload], state=state, bucket=bucket, exports=exports, clock=clock)
    for number, part in enumerate(run.parts):
        if part.state is not PartState.WAITING:
            continue
        if clock.now() > until:
            return _waiting(run, 0)
        run = _taken(run, number, taker, runs=runs, points=points, changes=changes)
    if run.count(PartState.WAITING):
        return _waiting(run, POLL_SECONDS)
    return BackUpResult(
        next=Next.GO, run=run.id, taken=run.count(PartState.TAKEN), failed=run.count(PartState.FAILED)
    )


def _waiting(run: BackupRun, seconds: int) -> BackUpResult:
    taken, failed = run.count(PartState.TAKEN), run.count(PartState.FAILED)
    return BackUpResult(next=Next.WAIT, run=run.id, wait=seconds, taken=taken, failed=failed)


def _taken(
    run: BackupRun,
    number: int,
    taker: Taker,
    *,
    runs: BackupRuns,
    points: RecoveryPoints,
    changes: ConfigurationChanges,
) -> BackupRun:
    """The run with that part taken, failed, or waiting on; written down."""

    def written(**update: Any) -> BackupRun:
        changed = run.with_part(number, **update)
        runs.save(changed)
        return changed

    part = run.parts[number]
    if part.tries >= TRIES:
        return written(
            state=PartState.FAILED, reason=part.reason or f"{TRIES} tries were ended before they were over"
        )
    run = written(tries=part.tries + 1)
    try:
        if part.kind is PointKind.TABLE_EXPORT and part.export is None:
            return written(tries=0, **taker.begin_export(run, part))
        point = (
            taker.finish_export(run, part) if part.kind is PointKind.TABLE_EXPORT else taker.take(run, part)
        )
        if point is None:  # AWS still exports: that is no try
            return written(tries=0)
        points.record(point)
        if part.kind is PointKind.CONFIGURATION:
            changes.covered(run.workload, run.environment, point.taken_at)
    except (NotFoundError, RefusedError) as final:
        return written(state=PartState.FAILED, reason=str(final))
    except SelfrightError as error:
        return written(reason=str(error))
    return written(state=PartState.TAKEN, point=point, reason=None)
