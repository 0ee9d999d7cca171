"""Take the lock of a backup and write down its parts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from selfright.domain.backup.run import BackUpBegin, BackUpResult, BackupRun, parts_of, run_id
from selfright.domain.backup.steps import Next
from selfright.domain.errors import BadInputError, ConflictError
from selfright.domain.manifest import Workload
from selfright.ports import Clock, Leases
from selfright.recovery_ports import BackupRuns

# Longer than any wait between two steps (a minute) with the longest invocation (14 minutes) and its retries.
HELD_FOR = timedelta(hours=1)
POLL_SECONDS = 60


def plan_backup(
    begin: BackUpBegin,
    *,
    workloads: Mapping[str, Workload],
    runs: BackupRuns,
    leases: Leases,
    clock: Clock,
) -> BackUpResult:
    """Wait until changes have settled, then begin. A repetition goes on with the same parts.

    A snapshot waits for another one that is under way; whole backups are too dear to be taken one after another.
    Raises BadInputError where there is no such workload, ConflictError where another whole one is under way,
    SourceDownError.
    """
    workload, run, now = workloads.get(begin.workload), run_id(begin.execution), clock.now()
    if workload is None:
        raise BadInputError("workload", f"must be one of {', '.join(workloads)} (is {begin.workload!r})")
    if begin.not_before and begin.not_before > now:
        wait = (begin.not_before - now).total_seconds()
        return BackUpResult(next=Next.WAIT, run=run, wait=int(wait) + 1)
    made = runs.find(run) or BackupRun(
        id=run,
        execution=begin.execution,
        workload=workload.workload,
        environment=workload.environment,
        scope=begin.scope,
        began_at=now,
        parts=tuple(parts_of(workload, begin.scope)),
    )
    try:
        hold(made, leases, now)
    except ConflictError:
        if begin.scope.whole:
            raise
        return BackUpResult(next=Next.WAIT, run=run, wait=POLL_SECONDS)
    runs.save(made)
    return BackUpResult(next=Next.GO, run=run)


def hold(run: BackupRun, leases: Leases, now: datetime) -> None:
    """Hold the lock for this run, or hold it on. Raises ConflictError where another run holds it."""
    leases.acquire(run.target, run.id, now + HELD_FOR, now)
