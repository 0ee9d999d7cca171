"""Wait until the copy can be used; then have source and copy exported as of the same moment."""

from __future__ import annotations

from collections.abc import Mapping

from selfright.backup_ports import CopiedItems, RestoreTests, TableBackups, TableExports
from selfright.domain.backup.restore_test import Plant, failed, passed, unknown
from selfright.domain.backup.steps import Next, RestoreStepResult
from selfright.domain.backup.verdict import CheckName
from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.domain.manifest import Workload
from selfright.ports import Clock
from selfright.usecases.plant_fault import plant_in_items
from selfright.usecases.restore_backup import POLL_SECONDS

IN_ITEMS = {Plant.DROP, Plant.ALTER, Plant.DUPLICATE}


def watch_restore(
    test_id: str,
    *,
    workloads: Mapping[str, Workload],
    backups: TableBackups,
    exports: TableExports,
    items: CopiedItems,
    tests: RestoreTests,
    clock: Clock,
) -> RestoreStepResult:
    """Wait while it is restored, go on when both exports have begun, record where that cannot be.

    The copy has no past of its own and nobody writes to it, so what it holds now is the source as of the recovery
    point. Its items are exported before TTL is put back, or DynamoDB would begin to delete them.
    Raises NotFoundError where there is no such test, SourceDownError.
    """
    test = tests.find(test_id)
    if test is None or test.source_settings is None:
        raise NotFoundError(f"restore test {test_id} has begun no restore")
    key = test.source_settings.key_names
    waiting = RestoreStepResult(next=Next.WAIT, test=test.id, wait=POLL_SECONDS)
    if test.restored_at is None:
        try:
            ready = backups.ready(test.copy_name)
        except NotFoundError:
            tests.save(test.with_check(failed(CheckName.RESTORABLE, f"{test.copy_name} never came to be")))
            return RestoreStepResult(next=Next.RECORD, test=test.id)
        now = clock.now()
        allowed = workloads[test.workload].backup.rto_seconds
        if not ready and (now - test.began_at).total_seconds() <= allowed:
            return waiting
        if not ready:
            late = unknown(CheckName.RESTORABLE, f"still not restored after {allowed} s")
            missed = failed(CheckName.RTO, late.reason)
            tests.save(test.with_check(late).with_check(missed))
            return RestoreStepResult(next=Next.RECORD, test=test.id)
        took = f"{(now - test.began_at).total_seconds():.0f} s"
        check = passed(CheckName.RESTORABLE, f"restored to {test.copy_name} in {took}")
        test = test.with_check(check, restored_at=now)
        tests.save(test)
    try:
        backups.mark(test.copy_name, test.id)
        if test.plant in IN_ITEMS and test.planted is None:
            planted = plant_in_items(test, key, items)
            test = test.model_copy(update={"planted": planted})
            tests.save(test)
        source = exports.begin(test.table, test.point, f"{test.id}-source")
        copy = exports.begin(test.copy_name, None, f"{test.id}-copy")
    except BusyError:
        return waiting
    except RefusedError as refused:
        tests.save(test.with_check(unknown(CheckName.COMPLETE, f"nothing could be compared: {refused}")))
        return RestoreStepResult(next=Next.RECORD, test=test.id)
    tests.save(test.model_copy(update={"source_export": source, "copy_export": copy}))
    return RestoreStepResult(next=Next.GO, test=test.id, wait=POLL_SECONDS)
