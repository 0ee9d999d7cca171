"""Start the backups that are due, one for each workload."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from selfright.domain.backup.run import BackUpInput, Scope
from selfright.domain.backup.verdict import FROZEN
from selfright.domain.manifest import Workload
from selfright.ports import Clock, SwitchBoard
from selfright.recovery_ports import BackupExecutions


class DueBackups(BaseModel):
    """What a schedule asks for."""

    model_config = FROZEN

    scope: Scope


class StartedBackups(BaseModel):
    """Names of the executions. `paused`: the kill switch is on, nothing was started."""

    model_config = FROZEN

    executions: tuple[str, ...] = ()
    paused: bool = False


def start_backups(
    due: DueBackups,
    *,
    workloads: Mapping[str, Workload],
    executions: BackupExecutions,
    switches: SwitchBoard,
    clock: Clock,
) -> StartedBackups:
    """One execution a workload, scope and day, however often this is called.

    A whole backup exports tables, which costs money by the GB: none while the kill switch is on, as it is after a first
    deployment. A snapshot costs next to nothing, and an emergency is when it is wanted. Raises SourceDownError.
    """
    if due.scope.whole and switches.read().kill_switch:
        return StartedBackups(paused=True)
    names = []
    for workload in workloads:
        name = f"{clock.now():%Y-%m-%d}-{due.scope}-{workload}"
        executions.start(name, BackUpInput(workload=workload, scope=due.scope))
        names.append(name)
    return StartedBackups(executions=tuple(names))
