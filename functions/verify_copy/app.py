"""Compare source and copy, items and settings, and measure."""

from selfright.domain.backup.restore_test import id_of
from selfright.domain.backup.steps import RestoreStep, RestoreStepResult
from selfright.edge.room import room
from selfright.usecases.verify_copy import verify_copy
from selfright.wiring import house


@room(RestoreStep, calls=lambda: house().aws.calls)
def handler(step: RestoreStep) -> RestoreStepResult:
    home = house()
    return verify_copy(
        id_of(step.execution),
        workloads=home.workloads,
        backups=home.backups,
        exports=home.exports,
        tests=home.restore_tests,
    )
