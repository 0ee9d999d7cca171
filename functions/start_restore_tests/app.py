"""Woken every night: have each table that the manifests name restored and proven."""

from selfright.edge.room import room
from selfright.edge.schedule import ScheduledTime
from selfright.usecases.start_restore_tests import Started, start_restore_tests
from selfright.wiring import house


@room(ScheduledTime, calls=lambda: house().aws.calls)
def handler(scheduled: ScheduledTime) -> Started:
    home = house()
    return start_restore_tests(
        scheduled.time, workloads=home.workloads, executions=home.executions, switches=home.switches
    )
