"""The alarms that speak for a workload's release set: those of its functions, and the guards."""

from __future__ import annotations

from selfright.domain.manifest import Workload


def watched_alarms(workload: Workload) -> tuple[str, ...]:
    """Their names."""
    ours = set(workload.deployment.functions)
    keys = [key for key, alarm in workload.alarms.items() if alarm.resource in ours or key in workload.guards]
    return tuple(workload.alarms[key].name for key in keys)
