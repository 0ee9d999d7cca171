"""Go on with the parts of a backup that are not taken yet."""

from selfright.domain.backup.run import BackUpResult, BackUpStep, run_id
from selfright.edge.room import room
from selfright.usecases.take_backup import take_backup
from selfright.wiring import house


@room(BackUpStep, calls=lambda: house().aws.calls)
def handler(step: BackUpStep) -> BackUpResult:
    home = house()
    return take_backup(
        run_id(step.execution),
        workloads=home.workloads,
        runs=home.backup_runs,
        points=home.recovery_points,
        changes=home.configuration_changes,
        leases=home.leases,
        state=home.system_state,
        bucket=home.backup_bucket,
        exports=home.kept_exports,
        clock=home.clock,
    )
