"""How many changes a workload may have in an hour and in a day, counted on a sliding window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from selfright.domain.errors import ConflictError

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Counted(BaseModel):
    """One change that counts; an attempt counts once, however often its record is written."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    at: AwareDatetime
    incident: str
    attempt: int


class Budget(BaseModel):
    """Whose changes are counted, and how many there may be."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    workload: str
    environment: str
    per_hour: int
    per_day: int


def within(counted: Sequence[Counted], span: timedelta, now: datetime) -> int:
    return sum(now - one.at < span for one in counted)


def spend(counted: Sequence[Counted], one: Counted, budget: Budget) -> tuple[Counted, ...]:
    """What is counted after `one`; nothing older than a day.

    Raises ConflictError where the budget is spent: others took the last of it since the gates were asked.
    """
    kept = tuple(c for c in counted if one.at - c.at < DAY)
    if any((c.incident, c.attempt) == (one.incident, one.attempt) for c in kept):
        return kept
    if within(kept, HOUR, one.at) >= budget.per_hour or len(kept) >= budget.per_day:
        raise ConflictError(f"the budget of {budget.workload} {budget.environment} is spent")
    return (*kept, one)
