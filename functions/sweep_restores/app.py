"""Woken every hour: delete the copies that a restore test left behind, and have people told."""

from selfright.edge.room import count, room
from selfright.edge.schedule import ScheduledTime
from selfright.usecases.sweep_restores import Swept, sweep_restores
from selfright.wiring import house


@room(ScheduledTime, calls=lambda: house().aws.calls)
def handler(_scheduled: ScheduledTime) -> Swept:
    home = house()
    swept = sweep_restores(
        backups=home.backups,
        tests=home.restore_tests,
        recoveries=home.recoveries,
        executions=home.executions,
    )
    for _copy in swept.left_behind:
        count("RestoresLeftBehind")
    return swept
