"""One application under Selfright's care in one environment: all sections of its manifest, validated."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property

from pydantic import Field

from selfright.domain.errors import BadInputError, NotFoundError
from selfright.domain.manifest.alarms import Alarm, AlarmBinding
from selfright.domain.manifest.autonomy import Autonomy, AutonomyPolicy
from selfright.domain.manifest.backup import Backup
from selfright.domain.manifest.deployment import Deployment
from selfright.domain.manifest.escalation import Escalation, Notifications
from selfright.domain.manifest.limits import Limits
from selfright.domain.manifest.probes import Health
from selfright.domain.manifest.resources import Resource
from selfright.domain.manifest.section import (
    AccountId,
    Flag,
    FlagName,
    Key,
    Region,
    Section,
    Text,
    WorkloadName,
    all_defaults,
)
from selfright.domain.manifest.settings import Settings
from selfright.domain.manifest.sources import Sources
from selfright.domain.manifest.targets import Targets
from selfright.domain.manifest.verification import Verification
from selfright.domain.manifest.windows import Windows


class Environment(StrEnum):
    """Each is one overlay over the base."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"

    @classmethod
    def parse(cls, text: str) -> Environment:
        """The environment of that name. Raises BadInputError."""
        if text not in list(cls):
            raise BadInputError("environment", f"must be one of {', '.join(cls)} (is {text!r})")
        return cls(text)


class Workload(Section):
    """A manifest whose rules all hold. Make one with `load`; a new section is one more field here."""

    workload: WorkloadName = Field(description="Its name, and that of its folder.")
    environment: Environment = Field(description="Given by the overlay's file name; may be left out.")
    description: Text
    owner: Text = Field(description="The team that answers for it.")
    account: AccountId | None = Field(
        default=None, description="AWS account, where it is not Selfright's own."
    )
    regions: tuple[Region, ...] = ()

    resources: Mapping[Key, Resource]
    alarms: Mapping[Key, Alarm] = {}
    guards: tuple[Key, ...] = Field(default=(), description="Alarms that no remedy may make worse.")
    sources: Sources = all_defaults()
    targets: Targets = all_defaults()
    autonomy: AutonomyPolicy = all_defaults()
    limits: Limits = all_defaults()
    verification: Verification = all_defaults()
    backup: Backup = all_defaults()
    windows: Windows = all_defaults()
    deployment: Deployment = all_defaults()
    health: Health = all_defaults()
    notifications: Notifications = all_defaults()
    escalation: Escalation = all_defaults()
    settings: Settings = all_defaults()
    flags: Mapping[FlagName, Flag] = {}

    def resource(self, logical_name: str) -> Resource:
        """Look a resource up by its logical name. Raises NotFoundError."""
        try:
            return self.resources[logical_name]
        except KeyError:
            raise NotFoundError(f"{self.workload} has no resource {logical_name!r}") from None

    def alarm_by_name(self, physical_name: str) -> AlarmBinding | None:
        """What an alarm means, by its name in CloudWatch; None where the manifest does not list it."""
        return self._alarms_by_name.get(physical_name)

    @property
    def guard_alarms(self) -> tuple[AlarmBinding, ...]:
        """The alarms that no remedy may make worse."""
        return tuple(self._alarms_by_name[self.alarms[key].name] for key in self.guards)

    def autonomy_for(self, runbook_id: str) -> Autonomy:
        """How far a runbook may go by itself."""
        return self.autonomy.level(runbook_id)

    @cached_property
    def _alarms_by_name(self) -> dict[str, AlarmBinding]:
        return {
            alarm.name: AlarmBinding(key, alarm.name, alarm.resource, alarm.symptom, alarm.severity)
            for key, alarm in self.alarms.items()
        }
