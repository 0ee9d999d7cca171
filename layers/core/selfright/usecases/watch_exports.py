"""Wait until both exports are done; then put back on the copy what a restore drops."""

from __future__ import annotations

from selfright.backup_ports import RestoreTests, TableBackups, TableExports
from selfright.domain.backup.restore_test import Plant, failed, unknown
from selfright.domain.backup.steps import Next, RestoreStepResult
from selfright.domain.backup.verdict import CheckName
from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.ports import Clock
from selfright.usecases.plant_fault import plant_in_export, plant_in_settings
from selfright.usecases.restore_backup import POLL_SECONDS

IN_EXPORTS = {Plant.SHORT_EXPORT, Plant.MISSING_PART, Plant.BAD_MD5}


def watch_exports(
    test_id: str, *, backups: TableBackups, exports: TableExports, tests: RestoreTests, clock: Clock
) -> RestoreStepResult:
    """Wait, go on to the comparison, or record that an export failed.

    Raises NotFoundError where the test has no exports, SourceDownError.
    """
    test = tests.find(test_id)
    if test is None or not test.source_export or not test.copy_export or test.source_settings is None:
        raise NotFoundError(f"restore test {test_id} has no exports")
    wanted = test.source_settings
    waiting = RestoreStepResult(next=Next.WAIT, test=test.id, wait=POLL_SECONDS)
    if test.exported_at is None:
        try:
            done = exports.done(test.source_export) and exports.done(test.copy_export)
        except RefusedError as refused:
            tests.save(test.with_check(failed(CheckName.COMPLETE, f"an export failed: {refused}")))
            return RestoreStepResult(next=Next.RECORD, test=test.id)
        if not done:
            return waiting
        test = test.model_copy(update={"exported_at": clock.now()})
    if test.plant in IN_EXPORTS and test.planted is None:
        test = test.model_copy(update={"planted": plant_in_export(test, exports)})
    if test.settings_began_at is None:
        test = test.model_copy(update={"settings_began_at": clock.now()})
    tests.save(test)
    try:
        backups.put_back(test.copy_name, wanted)
        test = test.model_copy(update={"set_up_at": test.set_up_at or clock.now()})
        if test.plant is Plant.SETTING and test.planted is None:
            test = test.model_copy(update={"planted": plant_in_settings(test, backups)})
    except BusyError:
        return waiting
    except RefusedError as refused:
        test = test.with_check(unknown(CheckName.SETTINGS, f"they could not be put back: {refused}"))
    tests.save(test)
    return RestoreStepResult(next=Next.GO, test=test.id)
