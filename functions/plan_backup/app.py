"""Begin a backup: its lock, and a list of its parts."""

from selfright.domain.backup.run import BackUpBegin, BackUpResult
from selfright.edge.room import room
from selfright.usecases.plan_backup import plan_backup
from selfright.wiring import house


@room(BackUpBegin, calls=lambda: house().aws.calls)
def handler(step: BackUpBegin) -> BackUpResult:
    home = house()
    return plan_backup(
        step, workloads=home.workloads, runs=home.backup_runs, leases=home.leases, clock=home.clock
    )
