"""What travels between the states of `deploy` and `roll_back`: an id and a word, never data."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from selfright.domain.release.probing import Phase
from selfright.domain.release.record import Release, ReleaseStatus, StopReason
from selfright.domain.release.request import ReleaseId

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")


SWEEP = "the sweep"  # the actor of a roll-back that no person and no execution asked for


class Then(StrEnum):
    """Each word is one branch of a Choice."""

    PREPARE = "prepare"
    CHANGE = "change"
    PUBLISH = "publish"
    CONFIGURE = "configure"
    TEST = "test"  # also: not all of them are over, ask again
    SHIFT = "shift"
    WAIT = "wait"
    ROLL_BACK = "roll_back"
    RESTORE_CONFIGURATION = "restore_configuration"
    FINISH = "finish"  # the last step passed
    PUT_STACK_BACK = "put_stack_back"
    CLOSE = "close"
    LEAVE = "leave"  # another execution has taken this release over


class ReleaseStep(BaseModel):
    """Input of every room of `deploy`."""

    model_config = FROZEN

    release_id: ReleaseId


class ShiftStep(BaseModel):
    """Input of the room that shifts: the number of the step, so that repeating the room repeats that step."""

    model_config = FROZEN

    release_id: ReleaseId
    step: int = Field(ge=1)


class ProbeStep(BaseModel):
    """Input of the room that tests."""

    model_config = FROZEN

    release_id: ReleaseId
    phase: Phase


class ReleaseWord(BaseModel):
    """Output of every room of `deploy`; `wait` is in seconds, `step` is the one to shift to."""

    model_config = FROZEN

    next: Then
    step: int = Field(default=0, ge=0)
    wait: int = Field(default=0, ge=0)


def left_to_put_back(release: Release) -> ReleaseWord:
    """What a roll-back puts back next after the aliases: the configuration, the stack, or nothing.

    Where an alias is not back the stack stays: the version that is live may need it.
    """
    if release.to_put_back:
        return ReleaseWord(next=Then.RESTORE_CONFIGURATION)
    stay = release.stack_is_back or release.restored_at is None
    return ReleaseWord(next=Then.CLOSE if stay else Then.PUT_STACK_BACK)


NOBODY = "none"  # where no earlier release is named, and no step failed
Cause = Literal[StopReason.BY_HAND, StopReason.ALARM_WENT_OFF, StopReason.INCIDENT, StopReason.EXECUTION_LOST]


class RollBackInput(BaseModel):
    """Input of `roll_back`, also by hand: which release, why, and who asks for it: a person, an alarm, an incident.

    `to`: the earlier release whose versions are to be live again, or none: those before this release.
    """

    model_config = FROZEN

    release_id: ReleaseId
    reason: str = Field(min_length=1, max_length=1000)
    actor: str = Field(min_length=1, max_length=200)
    cause: Cause = StopReason.BY_HAND
    to: ReleaseId = NOBODY


class RollBackStep(BaseModel):
    """Input of the room that rolls back. `failure`: what went wrong in `deploy`, or none."""

    model_config = FROZEN

    release_id: ReleaseId
    reason: str = "none"
    actor: str = "none"
    cause: Cause = StopReason.BY_HAND
    to: ReleaseId = NOBODY
    failure: str = "none"


class CloseRelease(BaseModel):
    """Input of the room that closes a release. `failure`: why it could not be finished or rolled back, or none."""

    model_config = FROZEN

    release_id: ReleaseId
    failure: str = "none"


def in_words(failure: str) -> str:
    """What Step Functions caught, for people: without the stack trace that Lambda puts into an error's cause."""
    error, _, cause = failure.partition(": ")
    try:
        return f"{error}: {json.loads(cause)['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return failure


class ReleaseClosed(BaseModel):
    """Output of the room that closes a release."""

    model_config = FROZEN

    status: ReleaseStatus


class ReleaseTold(BaseModel):
    """Output of the room that tells of a release: which channels took it, and why others did not."""

    model_config = FROZEN

    told: tuple[str, ...]
    not_told: dict[str, str]


class ReleaseRequested(BaseModel):
    """Output of the room that takes a request: how the release stands, perhaps since an earlier request."""

    model_config = FROZEN

    release_id: str
    status: ReleaseStatus
