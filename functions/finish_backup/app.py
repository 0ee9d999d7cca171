"""End a backup: catalogue the whole where it is whole, and give the lock back."""

from selfright.domain.backup.run import BackUpResult, BackUpStep, run_id
from selfright.edge.room import room
from selfright.usecases.finish_backup import finish_backup
from selfright.wiring import house


@room(BackUpStep, calls=lambda: house().aws.calls)
def handler(step: BackUpStep) -> BackUpResult:
    home = house()
    return finish_backup(
        run_id(step.execution),
        step.failure,
        runs=home.backup_runs,
        points=home.recovery_points,
        bucket=home.backup_bucket,
        leases=home.leases,
        clock=home.clock,
    )
