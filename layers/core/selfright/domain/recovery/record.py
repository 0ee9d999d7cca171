"""One recovery: what is written down about it while it runs. A room that is repeated finds here what it did before."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from selfright.domain.backup.catalogue import RecoveryPoint
from selfright.domain.backup.restore_test import ISOLATED, ExportedTable
from selfright.domain.backup.settings import TableSettings
from selfright.domain.recovery.request import FROZEN, Loss, Mode, RecoverInput, Scenario

# Every table restored for good is named so, and the room that restores may write to no table of another name.
RECOVERED = "-recovered-"


class Act(StrEnum):
    """What a step does. Its room is the word before the first hyphen: a branch of the machine's Choice."""

    RESTORE = "table-restore"
    SET_UP = "table-set-up"
    EXPORT = "table-export"
    COMPARE = "compare-items"
    PUT_BACK_ITEMS = "items-put-back"
    CHECK_ITEMS = "items-check"
    REPOINT = "configuration-repoint"
    PUT_BACK_OBJECTS = "objects-put-back"
    CHECK_OBJECTS = "objects-check"
    PUT_BACK_CODE = "code-put-back"
    CHECK_CODE = "code-check"
    PUT_BACK_CONFIGURATION = "configuration-put-back"
    CHECK_CONFIGURATION = "configuration-check"
    BUILD_STACK = "workload-build-stack"
    FILL_TABLES = "workload-fill-tables"
    PUT_BACK_SETTINGS = "workload-put-back-settings"
    CHECK_WORKLOAD = "workload-check"

    @property
    def room(self) -> str:
        return self.value.partition("-")[0]


class PlannedStep(BaseModel):
    """One step, as people read it. `destroys`: what of the live workload it overwrites; empty where nothing."""

    model_config = FROZEN

    act: Act
    text: str
    destroys: str = ""
    done_at: datetime | None = None
    result: str = ""


class Finding(BaseModel):
    """One thing that differs from how it was; `seen` is what it is now, and only that is overwritten.

    Contents stay out of the record: of items and settings `seen` is a hash.
    """

    model_config = FROZEN

    name: str  # as people read it
    loss: Loss
    key: Mapping[str, Any] = {}  # an item's, in DynamoDB JSON
    seen: str = ""
    wanted: str = ""  # an object's version, code's SHA-256


class Status(StrEnum):
    RUNNING = "running"
    PLANNED = "planned"  # a dry run that found out what it would do
    RECOVERED = "recovered"  # done, and checked
    REFUSED = "refused"  # by a gate, before anything live was changed
    FAILED = "failed"


class Recovery(BaseModel):
    """`state_at`: the moment that what comes back is from. How much older than `point` that is, is the RPO achieved."""

    model_config = FROZEN

    id: str
    execution: str
    asked: RecoverInput
    began_at: datetime
    status: Status = Status.RUNNING
    steps: tuple[PlannedStep, ...] = ()
    why: tuple[str, ...] = ()  # it was refused, or failed
    expected_rto_seconds: tuple[float, float] | None = None  # p50 and p95 of those before
    point: datetime | None = None
    state_at: datetime | None = None
    source: str | None = None  # physical name of what is recovered
    copy_name: str | None = None  # table that it is restored to
    source_settings: TableSettings | None = None
    source_export: ExportedTable | None = None
    copy_export: ExportedTable | None = None
    kept: RecoveryPoint | None = None  # the snapshot, or the full backup's manifest, that it is put back from
    looked_at: datetime | None = None  # when it was found out what differs
    findings: tuple[Finding, ...] = ()
    left_to_people: tuple[str, ...] = ()  # settings that nobody put back
    ended_at: datetime | None = None
    cleaned_at: datetime | None = None

    def but(self, **changes: Any) -> Recovery:
        return self.model_copy(update=changes)

    @property
    def step(self) -> PlannedStep | None:
        """The one to be taken next."""
        return next((step for step in self.steps if step.done_at is None), None)

    def done(self, act: Act, now: datetime, result: str = "", **changes: Any) -> Recovery:
        """With a step taken; one taken before stays as it was."""
        steps = tuple(
            step.model_copy(update={"done_at": now, "result": result})
            if step.act is act and step.done_at is None
            else step
            for step in self.steps
        )
        return self.but(steps=steps, **changes)

    @property
    def told_enough(self) -> bool:
        """A dry run that knows what it would do."""
        told_by_plan = self.asked.scenario is Scenario.TABLE and self.asked.mode is Mode.NEW
        return self.asked.dry_run and (told_by_plan or self.looked_at is not None)

    @property
    def throwaway(self) -> bool:
        """Its copy is a means and not the end."""
        return self.asked.mode is Mode.IN_PLACE or self.asked.dry_run or self.asked.drill

    @property
    def rto_seconds(self) -> float | None:
        """From the request until everything was back and checked."""
        if self.status is not Status.RECOVERED or self.ended_at is None:
            return None
        return (self.ended_at - self.began_at).total_seconds()

    @property
    def rpo_seconds(self) -> float | None:
        """How much older than asked for is what came back."""
        if self.point is None or self.state_at is None:
            return None
        return max(0.0, (self.point - self.state_at).total_seconds())

    @property
    def place(self) -> str:
        """What it holds the lease of: the live resource where it changes that, else only this kind of recovery."""
        asked = self.asked
        beside = asked.dry_run or (asked.scenario is Scenario.TABLE and asked.mode is Mode.NEW)
        if self.source and not beside:
            return self.source  # as incidents do
        kind = "drill" if asked.drill else "dry-run" if asked.dry_run else "recovery"
        return f"{kind}:{asked.workload}:{asked.environment}:{asked.resource or asked.scenario}"


def id_of(execution: str) -> str:
    """The same for every repetition within an execution, and fit for a table's name."""
    return f"rc-{hashlib.sha256(execution.encode()).hexdigest()[:12]}"


def table_name(recovery: str, table: str, *, isolated: bool) -> str:
    """Of the table that is restored to. DynamoDB allows 255 characters."""
    name = f"{ISOLATED}{recovery}-{table}" if isolated else f"{table}{RECOVERED}{recovery}"
    if len(name) > 255:  # noqa: PLR2004 - DynamoDB's own
        raise ValueError(f"{table} is too long a name for a restored table's")
    return name


def recovery_of(copy: str) -> str | None:
    """The recovery that an isolated table was made by; None where it is none of them."""
    found = re.match(rf"{ISOLATED}(rc-[0-9a-f]{{12}})-", copy)
    return found[1] if found else None


def percentiles(seconds: list[float]) -> tuple[float, float] | None:
    """The 50th and the 95th by the nearest rank; None where nothing was measured yet."""
    if not seconds:
        return None
    ranked = sorted(seconds)
    return ranked[(len(ranked) - 1) // 2], ranked[max(0, -(-95 * len(ranked) // 100) - 1)]
