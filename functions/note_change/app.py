"""Woken by a change of configuration: have a snapshot taken once the changes have settled."""

from selfright.edge.configuration_change import ChangeEvent
from selfright.edge.room import room
from selfright.usecases.note_change import note_change
from selfright.usecases.start_backups import StartedBackups
from selfright.wiring import house


@room(ChangeEvent, calls=lambda: house().aws.calls)
def handler(event: ChangeEvent) -> StartedBackups:
    home = house()
    return note_change(
        event.change,
        workloads=home.workloads,
        changes=home.configuration_changes,
        executions=home.backup_executions,
        clock=home.clock,
    )
