"""Somebody changed a workload's configuration: have a snapshot taken once the changes have settled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from selfright.domain.backup.change import Change
from selfright.domain.backup.run import BackUpInput, Scope
from selfright.domain.manifest import Workload
from selfright.ports import Clock
from selfright.recovery_ports import BackupExecutions, ConfigurationChanges
from selfright.usecases.start_backups import StartedBackups

# Everything changed within one such span is in one snapshot, taken at its end: a deployment makes dozens of changes.
SETTLE_SECONDS = 300


def note_change(
    change: Change,
    *,
    workloads: Mapping[str, Workload],
    changes: ConfigurationChanges,
    executions: BackupExecutions,
    clock: Clock,
) -> StartedBackups:
    """Write down that there is a change before anything else: no snapshot, no RPO. Raises SourceDownError."""
    now, names = clock.now(), []
    end = (int(now.timestamp()) // SETTLE_SECONDS + 1) * SETTLE_SECONDS
    not_before = datetime.fromtimestamp(end, UTC)
    for workload in workloads.values():
        if change.concerns(workload):
            changes.mark(workload.workload, workload.environment, now)
            name = f"{not_before:%Y-%m-%dT%H-%M}-{Scope.CHANGE}-{workload.workload}"
            asked = BackUpInput(workload=workload.workload, scope=Scope.CHANGE, not_before=not_before)
            executions.start(name, asked)
            names.append(name)
    return StartedBackups(executions=tuple(names))
