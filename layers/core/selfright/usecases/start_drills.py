"""Game day: have `recover` restore every table under `backup.tables` to an isolated copy, against the clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel

from selfright.domain.manifest import Workload
from selfright.domain.recovery.request import FROZEN, RecoverInput, Scenario
from selfright.ports import SwitchBoard
from selfright.restoring_ports import Drills

# What a drill restores to: older than DynamoDB's five minutes, so that restoring is what is measured, not waiting.
BEFORE = timedelta(minutes=10)


class DrillsStarted(BaseModel):
    """Names of the executions. `paused`: the kill switch is on, nothing was started."""

    model_config = FROZEN

    executions: tuple[str, ...] = ()
    paused: bool = False


def start_drills(
    due: datetime, *, workloads: Mapping[str, Workload], drills: Drills, switches: SwitchBoard
) -> DrillsStarted:
    """One drill a table and day, however often this is called; none while the kill switch is on.

    A drill can touch nothing live: RecoverInput refuses one that would, and the role may write to copies alone.
    Raises SourceDownError.
    """
    if switches.read().kill_switch:
        return DrillsStarted(paused=True)
    names = []
    for workload in workloads.values():
        for table in workload.backup.tables:
            name = f"drill-{due:%Y-%m-%d}-{workload.workload}-{table}"[:80]  # Step Functions' limit
            drills.start(
                name,
                RecoverInput(
                    workload=workload.workload,
                    environment=workload.environment,
                    scenario=Scenario.TABLE,
                    resource=table,
                    point=due - BEFORE,
                    dry_run=False,
                    drill=True,
                    requested_by="the schedule",
                    reason="monthly recovery drill",
                ),
            )
            names.append(name)
    return DrillsStarted(executions=tuple(names))
