"""Delete the copy, however the test went."""

from selfright.domain.backup.restore_test import id_of
from selfright.domain.backup.steps import RestoreStep, RestoreStepResult
from selfright.edge.room import room
from selfright.usecases.clean_up_restore import clean_up_restore
from selfright.wiring import house


@room(RestoreStep, calls=lambda: house().aws.calls)
def handler(step: RestoreStep) -> RestoreStepResult:
    home = house()
    return clean_up_restore(
        id_of(step.execution),
        backups=home.backups,
        tests=home.restore_tests,
        clock=home.clock,
    )
