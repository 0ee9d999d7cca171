"""Woken every month: have each table that the manifests name recovered, to an isolated copy."""

from selfright.edge.room import room
from selfright.edge.schedule import ScheduledTime
from selfright.usecases.start_drills import DrillsStarted, start_drills
from selfright.wiring import house


@room(ScheduledTime, calls=lambda: house().aws.calls)
def handler(scheduled: ScheduledTime) -> DrillsStarted:
    home = house()
    return start_drills(scheduled.time, workloads=home.workloads, drills=home.drills, switches=home.switches)
