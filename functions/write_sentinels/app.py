"""Woken every minute: write the item whose age in a restored copy witnesses the RPO."""

from selfright.edge.room import room
from selfright.edge.schedule import ScheduledTime
from selfright.usecases.write_sentinels import Witnessed, write_sentinels
from selfright.wiring import house


@room(ScheduledTime, calls=lambda: house().aws.calls)
def handler(_scheduled: ScheduledTime) -> Witnessed:
    home = house()
    return write_sentinels(
        workloads=home.workloads, backups=home.backups, sentinels=home.sentinels, clock=home.clock
    )
