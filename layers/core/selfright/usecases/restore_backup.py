"""Choose the newest recovery point of a table and begin to restore it under a name of its own."""

from __future__ import annotations

from collections.abc import Mapping

from selfright.backup_ports import RestoreTests, TableBackups
from selfright.domain.backup.restore_test import RestoreTest, copy_name, failed, id_of, passed, unknown
from selfright.domain.backup.steps import Next, RestoreBegin, RestoreStepResult
from selfright.domain.backup.verdict import CheckName
from selfright.domain.errors import BadInputError, NotFoundError, RefusedError
from selfright.domain.manifest import Workload
from selfright.ports import Clock

POLL_SECONDS = 30


def restore_backup(
    begin: RestoreBegin,
    *,
    workloads: Mapping[str, Workload],
    backups: TableBackups,
    tests: RestoreTests,
    clock: Clock,
) -> RestoreStepResult:
    """Wait for the copy, or record that there is nothing to restore. A repetition goes on with the same copy.

    Raises BadInputError where the manifest does not name the table, SourceDownError.
    """
    test = tests.find(id_of(begin.execution)) or _new_test(begin, workloads, clock)
    point = test.point
    if point is None:
        try:
            window = backups.window(test.table)
        except NotFoundError as gone:
            tests.save(test.with_check(failed(CheckName.EXISTENCE, str(gone))))
            return RestoreStepResult(next=Next.RECORD, test=test.id)
        if window is None:
            off = failed(CheckName.EXISTENCE, f"point-in-time recovery is off for {test.table}")
            tests.save(test.with_check(off))
            return RestoreStepResult(next=Next.RECORD, test=test.id)
        point = window.latest.replace(microsecond=0)  # DynamoDB restores to whole seconds
        if point < window.earliest:
            new = unknown(
                CheckName.EXISTENCE, "recovery was switched on just now: no whole second lies in its window"
            )
            tests.save(test.with_check(new))
            return RestoreStepResult(next=Next.RECORD, test=test.id)
        test = test.with_check(
            passed(
                CheckName.EXISTENCE, f"restorable to any second from {window.earliest} to {window.latest}"
            ),
            point=point,
            source_settings=backups.settings(test.table),
        )
        tests.save(test)
    try:
        backups.restore(test.table, test.copy_name, point)
    except (RefusedError, NotFoundError) as refused:
        tests.save(test.with_check(failed(CheckName.RESTORABLE, str(refused))))
        return RestoreStepResult(next=Next.RECORD, test=test.id)
    return RestoreStepResult(next=Next.GO, test=test.id, wait=POLL_SECONDS)


def _new_test(begin: RestoreBegin, workloads: Mapping[str, Workload], clock: Clock) -> RestoreTest:
    workload = workloads.get(begin.workload)
    if workload is None:
        raise BadInputError("workload", f"must be one of {', '.join(workloads)} (is {begin.workload!r})")
    if begin.table not in workload.backup.tables:
        known = ", ".join(workload.backup.tables) or "none"
        raise BadInputError("table", f"must be one of backup.tables: {known} (is {begin.table!r})")
    table, test = workload.resource(begin.table).name, id_of(begin.execution)
    return RestoreTest(
        id=test,
        execution=begin.execution,
        workload=workload.workload,
        environment=workload.environment,
        resource=begin.table,
        table=table,
        copy_name=copy_name(test, table),
        plant=begin.plant,
        began_at=clock.now(),
    )
