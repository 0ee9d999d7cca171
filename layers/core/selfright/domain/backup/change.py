"""A change of configuration that AWS tells of, and which workloads it may concern."""

from __future__ import annotations

from pydantic import BaseModel

from selfright.domain.backup.verdict import FROZEN
from selfright.domain.manifest import Workload

# AppConfig's events name applications by ids of its own, which no manifest knows.
NAMELESS = frozenset({"aws.appconfig"})


class Change(BaseModel):
    """`told` is the text of the event's detail: it holds the name of what was changed."""

    model_config = FROZEN

    source: str
    told: str

    def concerns(self, workload: Workload) -> bool:
        """Whether it may: a snapshot too many costs nothing, one too few loses a change."""
        if self.source in NAMELESS:
            return True
        names = {
            f"{workload.workload}-{workload.environment}",
            *workload.sources.stacks,
            *workload.backup.parameters,
            *(resource.name for resource in workload.resources.values()),
            *(alarm.name for alarm in workload.alarms.values()),
        }
        return any(name in self.told for name in names)
