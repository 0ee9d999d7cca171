"""One run of `back_up`: its parts, how each stands, and what travels between the states of the machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, Field

from selfright.domain.backup.catalogue import PointKind, RecoveryPoint, Tier, whole_state
from selfright.domain.backup.restore_test import ExportedTable
from selfright.domain.backup.steps import Next
from selfright.domain.backup.verdict import FROZEN
from selfright.domain.manifest import Workload
from selfright.domain.manifest.section import WORKLOAD_NAME

MANIFEST_FORMAT = "selfright-backup/1"
TRIES = 3  # of a part, before a run goes on without it; each may be a whole invocation that died


class Scope(StrEnum):
    """What a run takes. Each has a folder of its own in the bucket, with a lifecycle of its own."""

    DAILY = "daily"  # configuration
    CHANGE = "change"  # configuration, because somebody changed it
    WEEKLY = "weekly"  # everything
    MONTHLY = "monthly"  # everything, to deep storage

    @property
    def folder(self) -> str:
        return {Scope.WEEKLY: "system", Scope.MONTHLY: "archive"}.get(self, "snapshots")

    @property
    def whole(self) -> bool:
        return self in (Scope.WEEKLY, Scope.MONTHLY)

    @property
    def tier(self) -> Tier:
        return Tier.DEEP if self is Scope.MONTHLY else Tier.WARM


class BackUpInput(BaseModel):
    """Input of the `back_up` state machine. `not_before`: changes made until then belong to this run."""

    model_config = FROZEN

    workload: Annotated[str, Field(pattern=WORKLOAD_NAME)]
    scope: Scope
    not_before: datetime | None = None


class BackUpBegin(BackUpInput):
    """Input of the first room."""

    execution: str = Field(description="Step Functions' ARN of the execution: it names the run.")


class BackUpStep(BaseModel):
    """Input of every other room; `failure` is set where a station failed for good."""

    model_config = FROZEN

    execution: str
    failure: str | None = None


class BackUpResult(BaseModel):
    """Output of every room. `wait` is in seconds; `failed` counts parts."""

    model_config = FROZEN

    next: Next
    run: str
    wait: int = Field(default=0, ge=0)
    taken: int = 0
    failed: int = 0


class PartState(StrEnum):
    WAITING = "waiting"
    TAKEN = "taken"  # read back, found whole, and catalogued
    FAILED = "failed"


class Part(BaseModel):
    """One recovery point to be. `tries` is written down before each, so that one that kills its room ends too."""

    model_config = FROZEN

    kind: PointKind
    source: str
    state: PartState = PartState.WAITING
    tries: int = 0
    export: ExportedTable | None = None
    point: RecoveryPoint | None = None
    reason: str | None = None


class BackupRun(BaseModel):
    """What is known of a run. A step that is repeated finds here what it did before."""

    model_config = FROZEN

    id: str
    execution: str
    workload: str
    environment: str
    scope: Scope
    began_at: datetime
    parts: tuple[Part, ...]
    ended_at: datetime | None = None
    failure: str | None = None

    @property
    def folder(self) -> str:
        """Where it lies in the backup bucket, without a slash at the end."""
        return f"{self.scope.folder}/{self.workload}/{self.environment}/{self.began_at:%Y/%m/%d}/{self.id}"

    @property
    def target(self) -> str:
        """What its lease is called: two runs of one scope would take the same twice."""
        return f"backup:{self.workload}:{self.environment}:{self.scope}"

    def count(self, state: PartState) -> int:
        return sum(part.state is state for part in self.parts)

    @property
    def complete(self) -> bool:
        return self.count(PartState.TAKEN) == len(self.parts)

    def with_part(self, number: int, **changes: Any) -> BackupRun:
        parts = list(self.parts)
        parts[number] = parts[number].model_copy(update=changes)
        return self.model_copy(update={"parts": tuple(parts)})

    def manifest(self, now: datetime) -> dict[str, Any]:
        """The document that says what belongs together; only a complete run has one."""
        if not self.complete:
            raise ValueError(f"{self.id} is not complete")
        return {
            "format": MANIFEST_FORMAT,
            "run": self.id,
            "workload": self.workload,
            "environment": self.environment,
            "scope": self.scope,
            "began_at": self.began_at.isoformat(),
            "ended_at": now.isoformat(),
            "points": [part.point.model_dump(mode="json") for part in self.parts if part.point],
        }


def run_id(execution: str) -> str:
    """The same for every repetition within an execution."""
    return f"bk-{hashlib.sha256(execution.encode()).hexdigest()[:12]}"


def parts_of(workload: Workload, scope: Scope) -> Iterator[Part]:
    """What a run has to take; exports come first, because AWS takes minutes for each."""
    if scope.whole:
        yield from (Part(kind=kind, source=source) for kind, source in whole_state(workload))
    yield Part(kind=PointKind.CONFIGURATION, source=workload.workload)
