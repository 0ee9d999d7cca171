"""What travels between the states of `respond`: ids and words, never data. Each word is one branch of a Choice."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from selfright.domain.incident import IncidentStatus

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class Next(StrEnum):
    CHECK = "check"  # look closer
    ACT = "act"  # a remedy is chosen
    SETTLE = "settle"  # the change is made; let it take effect
    UNDO = "undo"  # it did not help
    CLOSE = "close"  # nothing more to be done by the machine


class RespondInput(BaseModel):
    """Input of the `respond` state machine."""

    model_config = FROZEN

    incident_id: str = Field(pattern=r"^inc-[0-9a-f]{12}-\d{8}T\d{9}$")


class UndoInput(RespondInput):
    """Input of the `undo` state machine: the attempt to undo, and how `respond` failed."""

    attempt: int = Field(ge=1)
    failure: str


class Step(BaseModel):
    """Input of every room of `respond`."""

    model_config = FROZEN

    incident_id: str
    attempt: int = Field(ge=1)


class StepResult(BaseModel):
    """Output of every room. `status` and `reason` are set where `next` is close; `wait` is in seconds."""

    model_config = FROZEN

    next: Next
    attempt: int = Field(ge=1)
    status: IncidentStatus | None = None
    reason: str | None = None
    wait: int = Field(default=0, ge=0)


class CloseInput(BaseModel):
    """Input of the room that closes an incident; `error` is set where a step failed."""

    model_config = FROZEN

    incident_id: str
    attempt: int = Field(ge=1)
    status: IncidentStatus
    reason: str
    error: str | None = None


class Closed(BaseModel):
    """Output of the room that closes an incident: how it stands closed, perhaps since an earlier time."""

    model_config = FROZEN

    status: IncidentStatus
    outcome: str | None
    tell: bool = True  # false where another incident tells it for this one, too


class TellInput(BaseModel):
    """Input of the room that tells people how an incident stands."""

    model_config = FROZEN

    incident_id: str
    tell: bool = True  # as `Closed` says it


class Told(BaseModel):
    """Output of that room: keys of the manifest's channels that took the notice, and why others never will."""

    model_config = FROZEN

    told: tuple[str, ...]
    not_told: dict[str, str]
