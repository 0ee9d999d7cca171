"""A release as the ledger keeps it: what was asked for, what stood before, how far it has come, how it ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from selfright.domain.release.configuration import ConfigurationRelease
from selfright.domain.release.probing import HealthRecord
from selfright.domain.release.ramp import Rung
from selfright.domain.release.request import ReleaseRequest
from selfright.domain.release.stack import StackChange
from selfright.domain.release.workflow import Aliased, FunctionRelease, WorkflowRelease

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


TAKEN_BACK = {ReleaseStatus.ROLLED_BACK, ReleaseStatus.ROLLBACK_FAILED}
UNDER_WAY = {ReleaseStatus.RUNNING, ReleaseStatus.ROLLING_BACK}


class StopReason(StrEnum):
    """Why a release does not go on. A closed list."""

    # before anything is changed
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
    BACKUPS_STALE = "backups-stale"
    SETTINGS_MISSING = "settings-missing"
    CONFIGURATION_INVALID = "configuration-invalid"
    DEFINITION_INVALID = "definition-invalid"
    CONFIGURATION_BUSY = "configuration-busy"
    NOTHING_NEW = "nothing-new"
    STACK_NOT_READY = "stack-not-ready"
    STACK_DRIFTED = "stack-drifted"
    CHANGE_TOO_RISKY = "change-too-risky"
    CHANGE_NOT_APPROVED = "change-not-approved"
    CHANGE_NOT_POSSIBLE = "change-not-possible"
    WENT_BACK = "went-back"
    UNHEALTHY = "unhealthy"  # also after the ramp
    # while it goes out
    WORSE_THAN_BEFORE = "worse-than-before"
    TOO_FEW_REQUESTS = "too-few-requests"
    NOT_JUDGED = "not-judged"
    ALARM_WENT_OFF = "alarm-went-off"
    ALIAS_MOVED = "alias-moved"
    STACK_NOT_CHANGED = "stack-not-changed"
    CONFIGURATION_MOVED = "configuration-moved"
    CONFIGURATION_TAKEN_BACK = "configuration-taken-back"
    SMOKE_TEST_FAILED = "smoke-test-failed"
    TARGET_MISSED = "target-missed"
    STEP_FAILED = "step-failed"
    EXECUTION_LOST = "execution-lost"
    BY_HAND = "by-hand"
    INCIDENT = "incident"  # a runbook of `respond` took it back


class Release(BaseModel):
    """`seq` grows with every write, and only the next one is taken."""

    model_config = FROZEN

    request: ReleaseRequest
    requested_at: AwareDatetime
    status: ReleaseStatus = ReleaseStatus.REQUESTED
    seq: int = 0
    rungs: tuple[Rung, ...] = ()
    functions: tuple[FunctionRelease, ...] = ()
    stack: StackChange | None = None
    configuration: tuple[ConfigurationRelease, ...] = ()
    workflows: tuple[WorkflowRelease, ...] = ()
    red_before: tuple[str, ...] = ()  # alarms that were on when it was let through by break-glass
    health: HealthRecord = Field(default_factory=HealthRecord)
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
    def completed(self) -> bool:
        return self.status is ReleaseStatus.COMPLETED

    @property
    def begun(self) -> bool:
        """It was let in: something may have been changed."""
        return self.status not in {ReleaseStatus.REQUESTED, ReleaseStatus.REFUSED}

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

    @property
    def shifting(self) -> tuple[Aliased, ...]:
        """Everything of the set whose alias is shifted, in that order."""
        return (*self.changing, *(w for w in self.workflows if w.changes))

    @property
    def proving(self) -> tuple[FunctionRelease, ...]:
        """The functions whose requests tell of it: those that change, or all where only something beside them does."""
        return self.changing or self.functions

    @property
    def without_control(self) -> bool:
        """Whether no earlier version of a function serves beside: then its own service level judges it."""
        return (self.rung is not None and self.rung.whole) or not self.changing

    @property
    def touched(self) -> bool:
        """Something was, or may have been, changed that a roll-back has to put back."""
        stack = self.stack is not None and self.stack.touched
        return bool(self.shifting) or any(one.candidate for one in self.configuration) or stack

    @property
    def going_back(self) -> tuple[Aliased, ...]:
        """Everything of the set whose alias a roll-back writes."""
        return (
            *(f for f in self.functions if f.changes or f.back_to),
            *(w for w in self.workflows if w.changes),
        )

    @property
    def to_put_back(self) -> tuple[ConfigurationRelease, ...]:
        """Configurations that may be live and are not known to be put back, in reverse order."""
        return tuple(
            one for one in reversed(self.configuration) if one.candidate is not None and not one.put_back
        )

    @property
    def stack_is_back(self) -> bool:
        """Whether nothing of the stack is left to put back."""
        return self.stack is None or not self.stack.touched or self.stack.restored_at is not None

    def answers_for_alarms(self, now: datetime, regret: timedelta, settle: timedelta) -> str | None:
        """Why an alarm of the set is this release's own business still, in words; None where it is `respond`'s.

        For `regret` after its end an alarm takes it back at once (usecases/regret_release.py); for `settle` after it
        went back the metrics still tell of it. docs/decisions/0017-who-takes-a-release-back.md
        """
        match self.status:
            case ReleaseStatus.RUNNING:
                return f"release {self.id} is on its way"
            case ReleaseStatus.ROLLING_BACK:
                return f"release {self.id} is going back"
            case ReleaseStatus.COMPLETED if self.closed_at and now - self.closed_at <= regret:
                return f"release {self.id} is completed since {self.closed_at:%H:%M}: its own alarms take it back"
            case ReleaseStatus.ROLLED_BACK if self.stop is StopReason.INCIDENT:
                return None  # `respond` did it, and judges it
            case ReleaseStatus.ROLLED_BACK if self.restored_at and now - self.restored_at <= settle:
                return (
                    f"release {self.id} was taken back at {self.restored_at:%H:%M}: metrics tell of it still"
                )
            case _:
                return None

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
    PREPARED = "prepared"
    CHANGED = "changed"
    PUBLISHED = "published"
    CONFIGURED = "configured"
    TESTED = "tested"
    SHIFTED = "shifted"
    JUDGED = "judged"
    PROLONGED = "prolonged"
    STOPPED = "stopped"
    RESTORED = "restored"
    FAILED = "failed"
    CLOSED = "closed"
    UNSTUCK = "unstuck"
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
