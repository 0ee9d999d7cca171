"""What the gates look at. Every fact is given, or Unknown with the reason: none has a default that would let pass."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from selfright.domain.alarms import State
from selfright.domain.gates.history import Change
from selfright.domain.gates.storm import Storm
from selfright.domain.manifest import Autonomy, Closure

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")


# Why an alarm's rule cannot tell whether a change helped.
COMPOSITE = "a composite alarm has no numbers of its own"
MANY_SERIES = "it watches many series at once"


class Unknown(BaseModel):
    """A fact that could not be read, and why."""

    model_config = FROZEN

    error: str


class AlarmNow(BaseModel):
    """How an alarm stands at this moment."""

    model_config = FROZEN

    state: State
    since: datetime
    actions_enabled: bool = True
    suppressed_by: str | None = None
    muted_by: str | None = None
    unjudgeable: str | None = None
    """Why its rule cannot tell whether a change helped; None where it can."""


class Radius(BaseModel):
    """How much a planned change would touch, and how much the manifest allows."""

    model_config = FROZEN

    resources: int
    max_resources: int
    increase_factor: float
    max_increase_factor: float


class Spent(BaseModel):
    """Changes made to a workload by now, without the one in question, and how many the manifest allows."""

    model_config = FROZEN

    hour: int
    day: int
    per_hour: int
    per_day: int


class GateFacts(BaseModel):
    """Everything the gates look at. None: the question does not arise yet (no plan, no lease wanted)."""

    model_config = FROZEN

    now: datetime
    incident_id: str
    episode: datetime
    stale_after_seconds: float
    cooldown_seconds: float
    kill_switch: bool | Unknown
    window: Closure | None
    by_alarm: bool = True
    """False: something else reported the problem, so that no alarm tells whether it is over."""
    alarm: AlarmNow | Unknown | None
    alarm_exists: bool = True
    alarm_changes: tuple[datetime, ...] | Unknown
    """Moments of the alarm's latest changes between ALARM and OK."""
    release: str | Unknown | None = None
    """Why a release of the alarm's set answers for it, in words; None where none does."""
    storm: Storm | Unknown
    protected: bool
    autonomy: Autonomy | Unknown | None = None
    changes: tuple[Change, ...] | Unknown
    """What was done to the target lately, for any incident; without the attempt in question."""
    attempt: int
    attempts_allowed: int
    remedy: str | None = None
    last_action_at: datetime | Unknown | None = None
    spent: Spent | Unknown
    lease_holder: str | Unknown | None = None
    radius: Radius | None = None
    figures: Mapping[str, Any]
    """The numbers that checks and plan work with, by name, nested as they come."""

    @property
    def planned(self) -> bool:
        """A change is wanted; else the question is whether to look closer."""
        return self.radius is not None
