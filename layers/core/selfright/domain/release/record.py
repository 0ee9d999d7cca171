"""A release as the ledger keeps it: what was asked for, what stood before, how far it has come, how it ended."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from selfright.domain.release.ramp import Rung
from selfright.domain.release.request import ReleaseRequest
from selfright.domain.serving import AliasState

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class ReleaseStatus(StrEnum):
    REQUESTED = "requested"
    RUNNING = "running"
    ROLLING_BACK = "rolling_back"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    REFUSED = "refused"  # nothing was changed
    ROLLBACK_FAILED = "rollback_failed"  # people are needed


OVER = {
    ReleaseStatus.COMPLETED,
    ReleaseStatus.ROLLED_BACK,
    ReleaseStatus.REFUSED,
    ReleaseStatus.ROLLBACK_FAILED,
}


class StopReason(StrEnum):
    """Why a release does not go on. A closed list."""

    # before anything is changed
    BAD_REQUEST = "bad-request"
    NOT_CONFIGURED = "not-configured"
    APPROVAL_MISSING = "approval-missing"
    ANOTHER_UNDER_WAY = "another-under-way"
    SWITCHED_OFF = "switched-off"
    CHANGE_FREEZE = "change-freeze"
    OUTSIDE_WINDOW = "outside-window"
    ALARM_RED = "alarm-red"
    WEIGHTS_LEFT = "weights-left"
    FUNCTION_BUSY = "function-busy"
    PROVISIONED_CONCURRENCY = "provisioned-concurrency"
    ROLE_DIFFERS = "role-differs"
    DEAD_LETTERS_DIFFER = "dead-letters-differ"
    SETTINGS_MISSING = "settings-missing"
    NOTHING_NEW = "nothing-new"
    # while it goes out
    WORSE_THAN_BEFORE = "worse-than-before"
    TOO_FEW_REQUESTS = "too-few-requests"
    NOT_JUDGED = "not-judged"
    ALARM_WENT_OFF = "alarm-went-off"
    ALIAS_MOVED = "alias-moved"
    STEP_FAILED = "step-failed"
    EXECUTION_LOST = "execution-lost"
    BY_HAND = "by-hand"


class FunctionRelease(BaseModel):
    """One function of the set. `before` is what its alias was, `candidate` the version that is to go live."""

    model_config = FROZEN

    key: str
    function: str
    alias: str
    before: AliasState
    candidate: str | None = None

    @property
    def changes(self) -> bool:
        return self.candidate is not None and self.candidate != self.before.version

    def at(self, rung: Rung | None) -> tuple[str, dict[str, float]]:
        """Version and weights that its alias has at a step of the ramp; None: before the first."""
        if rung is None or not self.changes:
            return self.before.version, {}
        if rung.whole:
            return str(self.candidate), {}
        return self.before.version, {str(self.candidate): rung.share}


class Release(BaseModel):
    """`seq` grows with every write, and only the next one is taken."""

    model_config = FROZEN

    request: ReleaseRequest
    requested_at: AwareDatetime
    status: ReleaseStatus = ReleaseStatus.REQUESTED
    seq: int = 0
    rungs: tuple[Rung, ...] = ()
    functions: tuple[FunctionRelease, ...] = ()
    red_before: tuple[str, ...] = ()  # alarms that were on when it was let through by break-glass
    shifts: tuple[AwareDatetime, ...] = ()  # when each step was shifted
    extensions: int = Field(default=0, ge=0)
    stop: StopReason | None = None
    why: str = ""
    evidence_at: AwareDatetime | None = None  # when the first sign of what stopped it was seen
    restored_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None

    @property
    def id(self) -> str:
        return self.request.release_id

    @property
    def place(self) -> str:
        """What is locked: one release at a time for a workload in an environment."""
        return lock_of(self.request.workload, self.request.environment)

    @property
    def over(self) -> bool:
        return self.status in OVER

    @property
    def position(self) -> int:
        """How many steps were shifted."""
        return len(self.shifts)

    @property
    def shifted_at(self) -> datetime | None:
        """When the step in force was shifted."""
        return self.shifts[-1] if self.shifts else None

    @property
    def rung(self) -> Rung | None:
        """The step that is in force; None before the first."""
        return self.rungs[self.position - 1] if self.position else None

    @property
    def next_rung(self) -> Rung | None:
        return self.rungs[self.position] if self.position < len(self.rungs) else None

    @property
    def changing(self) -> tuple[FunctionRelease, ...]:
        """The functions of the set that get a new version."""
        return tuple(f for f in self.functions if f.changes)

    def but(self, **changes: Any) -> Self:
        """The same release with these fields changed."""
        return self.model_copy(update=changes)

    def stopped(self, reason: StopReason, why: str, at: datetime) -> Self:
        """To go back. The first reason stays: what follows from it is no news."""
        if self.stop is not None:
            return self
        return self.but(stop=reason, why=why[:1000], evidence_at=at)


def lock_of(workload: str, environment: str) -> str:
    """The name of the lease that a release holds."""
    return f"release:{workload}:{environment}"


class Milestone(StrEnum):
    """What a release's log can tell; past tense."""

    REQUESTED = "requested"
    REFUSED = "refused"
    ADMITTED = "admitted"
    PUBLISHED = "published"
    SHIFTED = "shifted"
    JUDGED = "judged"
    PROLONGED = "prolonged"
    STOPPED = "stopped"
    RESTORED = "restored"
    FAILED = "failed"
    CLOSED = "closed"
    TOLD = "told"


class LogLine(BaseModel):
    """One line of a release's log. `key` makes repeating a step write the same line, not a second one."""

    model_config = FROZEN

    key: str
    at: AwareDatetime
    milestone: Milestone
    text: str
    detail: dict[str, Any] = Field(default_factory=dict)


class ReleaseFile(BaseModel):
    """A release with its log, oldest line first."""

    model_config = FROZEN

    release: Release
    log: tuple[LogLine, ...] = ()
