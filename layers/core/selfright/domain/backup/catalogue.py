"""The catalogue of recovery points: what can be brought back, as of when, and whether that is recent enough.

A point is catalogued once it was read back and found whole; what is not catalogued is not known, and what is not
known has met no objective.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from selfright.domain.backup.verdict import FROZEN
from selfright.domain.manifest import Workload
from selfright.domain.manifest.resources import ResourceType


class PointKind(StrEnum):
    TABLE_PITR = "table-pitr"
    TABLE_EXPORT = "table-export"
    CONFIGURATION = "configuration"
    FUNCTION_CODE = "function-code"
    TEMPLATE = "template"
    STATE_MACHINE = "state-machine"
    OBJECT_INVENTORY = "object-inventory"
    SYSTEM_STATE = "system-state"  # the manifest of a whole run
    CODE_ARCHIVE = "code-archive"


class Tier(StrEnum):
    WARM = "warm"  # can be read at once
    DEEP = "deep"  # S3 takes 12 hours to make it readable (48 in bulk): no RTO of hours can rest on it


class Place(BaseModel):
    """An object of the backup bucket, or the table of which AWS itself keeps the points."""

    model_config = FROZEN

    bucket: str | None = None
    key: str | None = None
    version: str | None = None
    table: str | None = None


class RecoveryPoint(BaseModel):
    """One thing that can be brought back as it was at `taken_at`. `size` in bytes, `sha256` hexadecimal."""

    model_config = FROZEN

    workload: str
    environment: str
    run: str  # id of the run that took it, CONTINUOUS, or the commit of a code archive
    run_began_at: datetime
    kind: PointKind
    source: str
    taken_at: datetime
    place: Place
    sha256: str | None = None
    size: int | None = None
    tier: Tier = Tier.WARM
    details: Mapping[str, Any] = {}


CONTINUOUS = "continuous"

# How old the newest point of what is taken by schedule may be: the schedule's interval, and two hours for the run.
DAILY, WEEKLY = timedelta(hours=26), timedelta(days=7, hours=2)


class Wanted(BaseModel):
    """One item that the manifest wants a point of, and its recovery point objective."""

    model_config = FROZEN

    kind: PointKind
    source: str
    rpo_seconds: int


def wanted(workload: Workload) -> tuple[Wanted, ...]:
    """Every item of a workload that has to be in the catalogue."""
    backup, weekly = workload.backup, int(WEEKLY.total_seconds())
    found = [
        Wanted(kind=PointKind.TABLE_PITR, source=key, rpo_seconds=backup.rpo_seconds) for key in backup.tables
    ]
    found.append(
        Wanted(kind=PointKind.CONFIGURATION, source=workload.workload, rpo_seconds=backup.rpo_seconds)
    )
    found.extend(
        Wanted(kind=kind, source=source, rpo_seconds=weekly) for kind, source in whole_state(workload)
    )
    found.append(Wanted(kind=PointKind.SYSTEM_STATE, source=workload.workload, rpo_seconds=weekly))
    return tuple(found)


def whole_state(workload: Workload) -> Iterator[tuple[PointKind, str]]:
    """PointKind and source of what a full backup holds beside the configuration."""
    for key in workload.backup.tables:
        yield PointKind.TABLE_EXPORT, key
    for stack in workload.sources.stacks:
        yield PointKind.TEMPLATE, stack
    kinds = {
        ResourceType.LAMBDA_FUNCTION: PointKind.FUNCTION_CODE,
        ResourceType.STATE_MACHINE: PointKind.STATE_MACHINE,
    }
    for key, resource in workload.resources.items():
        if resource.type in kinds:
            yield kinds[resource.type], key
    for key in workload.backup.buckets:
        yield PointKind.OBJECT_INVENTORY, key


class Changes(BaseModel):
    """Changes of the configuration that no snapshot holds yet: when the first and the last were heard of."""

    model_config = FROZEN

    first: datetime
    last: datetime


class Standing(BaseModel):
    """How one wanted item stands. `age_seconds`: what would be lost if it had to be restored now, None: unknown."""

    model_config = FROZEN

    kind: PointKind
    source: str
    rpo_seconds: int
    point: RecoveryPoint | None
    age_seconds: float | None
    met: bool
    why: str


def standings(
    items: Iterable[Wanted], newest: Iterable[RecoveryPoint], changes: Changes | None, now: datetime
) -> tuple[Standing, ...]:
    """Each wanted item beside its newest warm point; one without a point has not met its objective."""
    by_item = {(point.kind, point.source): point for point in newest if point.tier is Tier.WARM}
    return tuple(_standing(item, by_item.get((item.kind, item.source)), changes, now) for item in items)


def _standing(item: Wanted, point: RecoveryPoint | None, changes: Changes | None, now: datetime) -> Standing:
    def told(age: float | None, met: bool, why: str) -> Standing:
        return Standing(**item.model_dump(), point=point, age_seconds=age, met=met, why=why)

    if point is None:
        return told(None, met=False, why="unknown: nothing is catalogued")
    age = (now - point.taken_at).total_seconds()
    if age < 0:
        return told(age, met=False, why="unknown: the newest point lies in the future")
    if item.kind is not PointKind.CONFIGURATION:
        return told(age, age <= item.rpo_seconds, f"{_span(age)} old, {_span(item.rpo_seconds)} allowed")
    # A configuration that nobody changed is not lost with age. Whether one was heard of is known; that none was
    # missed is what the daily snapshot is for.
    if age > DAILY.total_seconds():
        return told(age, met=False, why=f"the daily snapshot is missing; the newest is {_span(age)} old")
    if changes is None or changes.last <= point.taken_at:
        return told(0.0, met=True, why=f"no change was heard of since the snapshot {_span(age)} ago")
    since = (now - max(changes.first, point.taken_at)).total_seconds()
    return told(
        since,
        since <= item.rpo_seconds,
        f"changed {_span(since)} ago and not in a snapshot, {_span(item.rpo_seconds)} allowed",
    )


def _span(seconds: float) -> str:
    if seconds < 120:  # noqa: PLR2004 - two minutes: from there on seconds tell nothing
        return f"{seconds:.0f} s"
    return str(timedelta(seconds=round(seconds)))
