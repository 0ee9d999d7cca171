"""What earlier changes and earlier alarms teach: failures, repeats without effect, loops of our own, flapping.

Numbers without a manifest field are the ones that peers' incidents taught; docs/generated/gates.md lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from pydantic import AwareDatetime, BaseModel, ConfigDict

INEFFECTIVE_REPEATS, REPEATS_WITHIN = 3, timedelta(hours=24)
FAILURES_IN_A_ROW, BLOCKED_FOR = 3, timedelta(hours=1)
HEALTHY_FOR = timedelta(hours=1)  # a success counts for nothing before it has held this long
BACK_OFF = tuple(timedelta(minutes=m) for m in (1, 2, 4, 8, 10))
CHANGES_PER_TARGET, TARGET_WITHIN = 5, timedelta(hours=24)
CAUSED_WITHIN = timedelta(minutes=30)  # as long as a verdict is valid: what comes later has another cause
MAX_CAUSAL_DEPTH = 2
FLAPS, FLAPS_WITHIN = 5, timedelta(hours=1)  # ALARM, OK, ALARM, OK, ALARM
QUIET_FOR = timedelta(hours=1)
UNPROVEN_AFTER = timedelta(
    hours=1
)  # a change without a verdict by then was abandoned: nobody proved that it helped
KEPT_FOR = timedelta(hours=48)  # twice the longest look back


class Fate(StrEnum):
    """What came of a change."""

    HELPED = "helped"
    FAILED = "failed"  # undone, or nobody could prove that it helped
    OPEN = "open"  # no verdict yet
    NOT_MADE = "not-made"


class Change(BaseModel):
    """One change to one target, as far as it has come."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    incident: str
    attempt: int
    target: str
    remedy: str
    at: AwareDatetime
    episode: AwareDatetime
    """When the alarm went off for which it was made."""
    fate: Fate


def ineffective_repeats(changes: Sequence[Change], remedy: str, now: datetime) -> int:
    """How often `remedy` did not help within REPEATS_WITHIN."""
    return sum(
        change.remedy == remedy and _failed(change, now) and now - change.at <= REPEATS_WITHIN
        for change in changes
    )


def failures_in_a_row(changes: Sequence[Change], now: datetime) -> int:
    """Failures since the last success that held for HEALTHY_FOR."""
    count, until = 0, now
    for change in sorted(changes, key=lambda c: c.at, reverse=True):
        if _failed(change, now):
            count += 1
        elif change.fate is Fate.HELPED and until - change.at >= HEALTHY_FOR:
            break
        if change.fate is not Fate.NOT_MADE:
            until = change.at
    return count


def last_failure(changes: Sequence[Change], now: datetime) -> datetime | None:
    return max((c.at for c in changes if _failed(c, now)), default=None)


def on_target(changes: Sequence[Change], now: datetime) -> int:
    """Changes made to the target within TARGET_WITHIN, whatever came of them."""
    return sum(c.fate is not Fate.NOT_MADE and now - c.at <= TARGET_WITHIN for c in changes)


def causal_depth(changes: Sequence[Change], incident: str, episode: datetime) -> int:
    """How many incidents of the same target, each remedied by us, led to this one in a chain.

    An alarm that goes off within CAUSED_WITHIN after a change of ours to the same target counts as caused by it.
    """
    made = sorted((c for c in changes if c.fate is not Fate.NOT_MADE), key=lambda c: c.at, reverse=True)
    depth, seen = 0, {incident}
    while cause := next(
        (c for c in made if c.incident not in seen and timedelta() <= episode - c.at <= CAUSED_WITHIN),
        None,
    ):
        depth, episode = depth + 1, cause.episode
        seen.add(cause.incident)
    return depth


def flapping(changes: Sequence[datetime], now: datetime) -> bool:
    """An alarm flaps from its FLAPS-th change within FLAPS_WITHIN on, until it was quiet for QUIET_FOR.

    Its latest change is the one that asks now, so quiet means a gap before it or since.
    """
    moments = sorted(changes)
    began = [
        m for n, m in enumerate(moments) if n >= FLAPS - 1 and m - moments[n - FLAPS + 1] <= FLAPS_WITHIN
    ]
    if not began:
        return False
    since = [m for m in moments if m >= began[-1]] + [now]
    return all(later - earlier < QUIET_FOR for earlier, later in pairwise(since))


def _failed(change: Change, now: datetime) -> bool:
    return change.fate is Fate.FAILED or (change.fate is Fate.OPEN and now - change.at > UNPROVEN_AFTER)


def changes_within(changes: Sequence[datetime], now: datetime, span: timedelta) -> int:
    return sum(now - at <= span for at in changes)
