"""Look whether the copy can be used; if so, have source and copy exported."""

from selfright.domain.backup.restore_test import id_of
from selfright.domain.backup.steps import RestoreStep, RestoreStepResult
from selfright.edge.room import room
from selfright.usecases.watch_restore import watch_restore
from selfright.wiring import house


@room(RestoreStep, calls=lambda: house().aws.calls)
def handler(step: RestoreStep) -> RestoreStepResult:
    home = house()
    return watch_restore(
        id_of(step.execution),
        workloads=home.workloads,
        backups=home.backups,
        exports=home.exports,
        items=home.copied_items,
        tests=home.restore_tests,
        clock=home.clock,
    )
