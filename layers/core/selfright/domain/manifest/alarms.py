"""What an alarm of the workload means: which resource shows which symptom, and how bad that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from selfright.domain.manifest.ranked import Ranked
from selfright.domain.manifest.section import AlarmName, Key, Section


class Symptom(StrEnum):
    """The closed list of what can be wrong; runbooks are chosen by it."""

    THROTTLING = "throttling"
    ERRORS = "errors"
    LATENCY = "latency"
    SATURATION = "saturation"
    MEMORY = "memory"
    AVAILABILITY = "availability"
    CONNECTIVITY = "connectivity"
    AUTHORISATION = "authorisation"
    COST = "cost"
    DEPLOYMENT = "deployment"
    BACKUP = "backup"


class Severity(Ranked):
    """How bad it is, from lowest to highest."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Alarm(Section):
    """One CloudWatch alarm, as the manifest describes it."""

    name: AlarmName = Field(description="Name in CloudWatch; {workload} and {environment} are filled in.")
    resource: Key = Field(description="Logical name of the resource whose metric it watches.")
    symptom: Symptom
    severity: Severity


@dataclass(frozen=True, slots=True)
class AlarmBinding:
    """One alarm together with the key that the manifest knows it by."""

    key: str
    name: str
    resource: str
    """Logical name."""
    symptom: Symptom
    severity: Severity
