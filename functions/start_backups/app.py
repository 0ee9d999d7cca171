"""Woken every day, week and month: have each workload backed up."""

from selfright.edge.room import room
from selfright.usecases.start_backups import DueBackups, StartedBackups, start_backups
from selfright.wiring import house


@room(DueBackups, calls=lambda: house().aws.calls)
def handler(due: DueBackups) -> StartedBackups:
    home = house()
    return start_backups(
        due,
        workloads=home.workloads,
        executions=home.backup_executions,
        switches=home.switches,
        clock=home.clock,
    )
