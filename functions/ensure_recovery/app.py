"""Woken every 15 minutes: point-in-time recovery is on where it is wanted, and people hear where it was not."""

from selfright.edge.room import count, room
from selfright.edge.schedule import ScheduledTime
from selfright.usecases.ensure_recovery import Ensured, ensure_recovery
from selfright.wiring import house


@room(ScheduledTime, calls=lambda: house().aws.calls)
def handler(_scheduled: ScheduledTime) -> Ensured:
    home = house()
    ensured = ensure_recovery(
        workloads=home.workloads,
        backups=home.backups,
        recovery=home.point_in_time_recovery,
        points=home.recovery_points,
        switches=home.switches,
        clock=home.clock,
    )
    for _table in ensured.off:
        count("RecoveryOff")
    return ensured
