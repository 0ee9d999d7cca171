"""Woken by a schedule: find what fell through, and mend it."""

from selfright.edge.room import gauge, room
from selfright.edge.schedule import ScheduledTime
from selfright.usecases.sweep import SweepReport, sweep
from selfright.wiring import house


@room(ScheduledTime, calls=lambda: house().aws.calls)
def handler(scheduled: ScheduledTime) -> SweepReport:
    home = house()
    report = sweep(
        workloads=tuple(home.workloads.values()),
        store=home.store,
        leases=home.leases,
        history=home.history,
        alarms=home.alarms,
        workflows=home.workflows,
        messenger=home.messenger,
        releases=home.releases,
        deployments=home.deployments,
        clock=home.clock,
    )
    gauge("SweepDone", (home.clock.now() - scheduled.time).total_seconds())
    return report
