"""Begin to restore a table's newest recovery point under a name of its own."""

from selfright.domain.backup.steps import RestoreBegin, RestoreStepResult
from selfright.edge.room import room
from selfright.usecases.restore_backup import restore_backup
from selfright.wiring import house


@room(RestoreBegin, calls=lambda: house().aws.calls)
def handler(step: RestoreBegin) -> RestoreStepResult:
    home = house()
    return restore_backup(
        step,
        workloads=home.workloads,
        backups=home.backups,
        tests=home.restore_tests,
        clock=home.clock,
    )
