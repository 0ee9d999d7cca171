"""What people ask of `recover`, and the rules that hold for each scenario."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from selfright.domain.manifest.section import ACCOUNT, KEY, REGION, WORKLOAD_NAME
from selfright.domain.manifest.workload import Environment

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")

# Differing items that one recovery puts back at most: their keys are on record, in one item of 400 KB.
MOST_ITEMS = 500
MOST_OBJECTS = 250  # likewise; a key may have 1 KB

Text = Annotated[str, Field(min_length=1, max_length=500)]


class Scenario(StrEnum):
    TABLE = "table-to-point-in-time"
    OBJECT = "object"
    CODE = "function-code"
    CONFIGURATION = "configuration"
    WORKLOAD = "whole-workload"


class Mode(StrEnum):
    NEW = "new"  # beside what is there; nothing live is changed
    IN_PLACE = "in-place"


class Loss(StrEnum):
    """What happened to an item since the point in time."""

    DELETED = "deleted"
    CHANGED = "changed"
    ADDED = "added"


class Approval(BaseModel):
    """Who answers for what is overwritten, and how many things that may be at most."""

    model_config = FROZEN

    approver: Text
    at_most: int = Field(ge=1, le=MOST_ITEMS, description="Items, functions or settings.")


class Target(BaseModel):
    """Another account or region, for a whole workload; the role there is `selfright-recovery`."""

    model_config = FROZEN

    account: Annotated[str, Field(pattern=ACCOUNT)]
    region: Annotated[str, Field(pattern=REGION)]


class RecoverInput(BaseModel):
    """Input of the `recover` state machine. Without `dry_run: false` it only tells what it would do."""

    model_config = FROZEN

    workload: Annotated[str, Field(pattern=WORKLOAD_NAME)]
    environment: Environment
    scenario: Scenario
    requested_by: Text
    reason: Text
    dry_run: bool = True
    mode: Mode = Mode.NEW
    approval: Approval | None = None
    resource: Annotated[str, Field(pattern=KEY)] | None = Field(
        default=None, description="Logical name in the manifest: the table, bucket or function."
    )
    point: AwareDatetime | None = Field(
        default=None,
        description="The last good moment. Left out for code: the version before the present one.",
    )
    version: Annotated[str, Field(pattern=r"^[0-9]+$")] | None = Field(
        default=None, description="A published version of the function, instead of `point`."
    )
    prefix: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        default=None, description="The object's key, or what the keys of several begin with."
    )
    undo: tuple[Loss, ...] = Field(
        default=(Loss.DELETED, Loss.CHANGED),
        description="In place, which differences are put back. What was added is kept unless named here.",
    )
    repoint: bool = Field(default=False, description="Afterwards send the application to the new table.")
    drill: bool = Field(
        default=False,
        description="Restore, compare and set up an isolated copy for the record, and throw it away.",
    )
    target: Target | None = None

    @model_validator(mode="after")
    def _fits_its_scenario(self) -> Self:
        if broken := next(self._breaches(), None):
            raise ValueError(broken)
        return self

    def _breaches(self) -> Iterator[str]:
        whole = self.scenario in {Scenario.CONFIGURATION, Scenario.WORKLOAD}
        if whole == (self.resource is not None):
            yield f"resource: must {'not ' if whole else ''}be given for {self.scenario}"
        if self.point is None and self.scenario is not Scenario.CODE:
            yield f"point: must be given for {self.scenario}"
        if (self.prefix is not None) != (self.scenario is Scenario.OBJECT):
            yield "prefix: must be given for object, and for nothing else"
        if self.version and (self.scenario is not Scenario.CODE or self.point):
            yield "version: must stand for function-code alone, and without point"
        if (self.target is not None) != (self.scenario is Scenario.WORKLOAD):
            yield "target: must be given for whole-workload, and for nothing else"
        if not self.undo:
            yield "undo: must name at least one of deleted, changed, added"
        if self.approval and self.approval.approver == self.requested_by:
            yield "approval.approver: must be another person than requested_by"
        yield from self._breaches_of_a_table()

    def _breaches_of_a_table(self) -> Iterator[str]:
        if self.repoint and (self.scenario is not Scenario.TABLE or self.mode is Mode.IN_PLACE):
            yield "repoint: must only be set for a table that is restored under a new name"
        if self.mode is Mode.IN_PLACE and self.scenario is not Scenario.TABLE:
            yield "mode: must be left out for this scenario; only a table has a choice"
        new = self.scenario is Scenario.TABLE and self.mode is Mode.NEW
        if self.drill and (not new or self.repoint or self.dry_run):
            yield "drill: must be a table under a new name, without repoint and dry_run: it touches nothing live"
