"""What a step of a release is judged by: which minutes of which version, and which look of those that were planned.

While some requests still go to the version before, it is the control, minute by minute at the same time. When all
requests go to the new version, the control is the same stretch of time just before: weaker, as the hour may differ,
and so the alarms and the service level stand beside it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict

from selfright.domain.canary import Counts, Minute, Plan
from selfright.domain.manifest import Deployment
from selfright.domain.release.record import Release
from selfright.domain.serving import Tally

MINUTE = timedelta(minutes=1)
# CloudWatch shows a minute within one to two of its end; both versions are late alike.
WATCH_LAG = timedelta(minutes=1)


class Stretch(BaseModel):
    """Whole minutes, end excluded. `earlier`: how much earlier the control's minutes are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: datetime
    end: datetime
    earlier: timedelta = timedelta(0)

    @property
    def minutes(self) -> tuple[float, ...]:
        """Epoch seconds of each minute's start."""
        count = max(0, int((self.end - self.start) / MINUTE))
        return tuple((self.start + n * MINUTE).timestamp() for n in range(count))


def gate_at(release: Release, deployment: Deployment) -> datetime:
    """When the requests of the step in force are all counted."""
    return _end(release) + timedelta(seconds=deployment.metric_delay_seconds)


def judged_stretch(release: Release) -> Stretch:
    """What the gate of the step in force judges."""
    return _stretch(release, _end(release))


def watched_stretch(release: Release, now: datetime) -> Stretch:
    """What a look between the gates sees: the same, as far as it is on record."""
    return _stretch(release, min(_end(release), now - WATCH_LAG))


def plan(release: Release, deployment: Deployment) -> Plan:
    """Every look at a gate that this release can come to, of every function, prolonged ones included."""
    looks = len(release.rungs) * (1 + deployment.max_extensions) * len(release.changing)
    return Plan(gates=looks, max_error_rate=deployment.max_error_percent / 100)


def gate_number(release: Release, deployment: Deployment, index: int) -> int:
    """Which of the plan's looks this is for the changing function of that index; from 1."""
    before = (release.position - 1) * (1 + deployment.max_extensions) + release.extensions
    return before * len(release.changing) + index + 1


def paired(control: Tally, canary: Tally, stretch: Stretch) -> tuple[Minute, ...]:
    """Both versions' requests, minute by minute.

    Raises ValueError where a count is absurd: more errors than requests.
    """
    earlier = stretch.earlier.total_seconds()
    return tuple(
        Minute(control=_counts(control, at - earlier), canary=_counts(canary, at)) for at in stretch.minutes
    )


def total(minutes: tuple[Minute, ...]) -> tuple[Counts, Counts]:
    """Control and canary."""
    none = Counts(errors=0, invocations=0)
    return sum((m.control for m in minutes), none), sum((m.canary for m in minutes), none)


def _counts(tally: Tally, at: float) -> Counts:
    return Counts(errors=round(tally.crashes.get(at, 0)), invocations=round(tally.invocations.get(at, 0)))


def _end(release: Release) -> datetime:
    if release.rung is None or release.shifted_at is None:
        raise ValueError(f"{release.id} has no step in force")
    return release.shifted_at + (1 + release.extensions) * release.rung.span


def _stretch(release: Release, end: datetime) -> Stretch:
    if release.rung is None or release.shifted_at is None:
        raise ValueError(f"{release.id} has no step in force")
    start = _minute(release.shifted_at + MINUTE - timedelta(microseconds=1))
    end = max(start, _minute(end))
    # The minute of the shift belongs to neither side.
    whole = release.rung.whole
    earlier = max(end - start, MINUTE) + 2 * MINUTE if whole else timedelta(0)
    return Stretch(start=start, end=end, earlier=earlier)


def _minute(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // 60 * 60, UTC)
