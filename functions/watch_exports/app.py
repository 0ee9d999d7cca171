"""Look whether the exports are done; if so, put back what a restore drops."""

from selfright.domain.backup.restore_test import id_of
from selfright.domain.backup.steps import RestoreStep, RestoreStepResult
from selfright.edge.room import room
from selfright.usecases.watch_exports import watch_exports
from selfright.wiring import house


@room(RestoreStep, calls=lambda: house().aws.calls)
def handler(step: RestoreStep) -> RestoreStepResult:
    home = house()
    return watch_exports(
        id_of(step.execution),
        backups=home.backups,
        exports=home.exports,
        tests=home.restore_tests,
        clock=home.clock,
    )
