"""Start one restore test for every table that the manifests have under `backup.tables`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel

from selfright.backup_ports import Executions
from selfright.domain.backup.steps import VerifyBackupInput
from selfright.domain.backup.verdict import FROZEN
from selfright.domain.manifest import Workload
from selfright.ports import SwitchBoard


class Started(BaseModel):
    """Names of the executions. `paused`: the kill switch is on, nothing was started."""

    model_config = FROZEN

    executions: tuple[str, ...] = ()
    paused: bool = False


def start_restore_tests(
    due: datetime, *, workloads: Mapping[str, Workload], executions: Executions, switches: SwitchBoard
) -> Started:
    """One execution a table and day, however often this is called; none while the kill switch is on.

    Restores cost money, and a first deployment is paused. Raises SourceDownError.
    """
    if switches.read().kill_switch:
        return Started(paused=True)
    names = []
    for workload in workloads.values():
        for table in workload.backup.tables:
            name = f"{due:%Y-%m-%d}-{workload.workload}-{table}"[:80]  # Step Functions' limit
            executions.start(name, VerifyBackupInput(workload=workload.workload, table=table))
            names.append(name)
    return Started(executions=tuple(names))
