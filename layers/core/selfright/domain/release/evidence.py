"""What a release is judged by: which minutes of which version, and which look of those that were planned.

While some requests still go to the version before, that is the control, minute by minute at the same time. With all
requests at the new version no control is left; then its own service level judges it, and the alarms beside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from selfright.domain.canary import Counts, LatencyPoint, Minute, Plan
from selfright.domain.manifest import Deployment
from selfright.domain.release.ramp import Rung, level_looks
from selfright.domain.release.record import Release
from selfright.domain.serving import Tally

MINUTE = timedelta(minutes=1)


class Stretch(NamedTuple):
    """Whole minutes of one step, end excluded."""

    step: int  # from 1
    start: datetime
    end: datetime

    @property
    def minutes(self) -> tuple[float, ...]:
        """Epoch seconds of each minute's start."""
        count = max(0, int((self.end - self.start) / MINUTE))
        return tuple((self.start + n * MINUTE).timestamp() for n in range(count))


def counted_until(release: Release, deployment: Deployment, now: datetime) -> datetime:
    """Until when the requests of the step in force are all counted, and no further than it is judged."""
    return min(_end(release), now - timedelta(seconds=deployment.metric_delay_seconds))


def gate_at(release: Release, deployment: Deployment) -> datetime:
    """When all requests that the gate of the step in force judges are counted."""
    return _end(release) + timedelta(seconds=deployment.metric_delay_seconds)


def stretch(release: Release, until: datetime) -> Stretch:
    """The step in force, up to that moment."""
    return _stretch(release, release.position, until)


def stretches_with_control(release: Release, until: datetime) -> tuple[Stretch, ...]:
    """Every step so far at which both versions served, up to that moment."""
    steps = range(1, release.position + 1)
    return tuple(_stretch(release, n, until) for n in steps if not release.rungs[n - 1].whole)


def gate_plan(release: Release, deployment: Deployment) -> Plan:
    """Every look at a gate of every function that this release can come to, prolonged ones included.

    The watch between gates is one test for each function.
    """
    sets = len(release.proving)
    plan = _plan(len(release.rungs) * (1 + deployment.max_extensions) * sets, deployment)
    return plan.model_copy(update={"alpha_watch": plan.alpha_watch / sets})


def gate_number(release: Release, deployment: Deployment, index: int) -> int:
    """Which look of `gate_plan` this is for the proving function of that index; from 1."""
    before = (release.position - 1) * (1 + deployment.max_extensions) + release.extensions
    return before * len(release.proving) + index + 1


def level_plan(release: Release, deployment: Deployment) -> Plan:
    """Every look without a control beside, of every function."""
    looks = sum(level_looks((rung,), deployment) for rung in _without_control(release))
    return _plan(looks * len(release.proving), deployment)


def level_number(release: Release, deployment: Deployment, index: int, now: datetime) -> int:
    """Which look of `level_plan` this is. A late look counts as its step's last one; a repeated one as the same."""
    steps = _without_control(release)
    *before, step = steps[: release.position - len(release.rungs) + len(steps)]
    since = (now - _shifted_at(release)).total_seconds()
    look = min(int(since // deployment.look_seconds), level_looks((step,), deployment) - 1)
    look += sum(level_looks((rung,), deployment) for rung in before)
    return look * len(release.proving) + index + 1


def paired(control: Tally, canary: Tally, where: Stretch) -> tuple[Minute, ...]:
    """Both versions' requests, minute by minute.

    Raises ValueError where a count is absurd: more errors than requests.
    """
    return tuple(
        Minute(control=_counts(control, at), canary=_counts(canary, at), step=where.step)
        for at in where.minutes
    )


def latencies(durations: Mapping[float, float], where: Sequence[Stretch]) -> tuple[LatencyPoint, ...]:
    """Mean duration of every minute in which there was a request; new environments start in a step's first one."""
    return tuple(
        LatencyPoint(value=durations[at], cold_start=at == one.minutes[0])
        for one in where
        for at in one.minutes
        if at in durations
    )


def total(minutes: Sequence[Minute]) -> tuple[Counts, Counts]:
    """Control and canary."""
    return _sum(m.control for m in minutes), _sum(m.canary for m in minutes)


def _sum(counts: Iterable[Counts]) -> Counts:
    all_of_them = tuple(counts)
    return Counts(
        errors=sum(c.errors for c in all_of_them), invocations=sum(c.invocations for c in all_of_them)
    )


def _plan(gates: int, deployment: Deployment) -> Plan:
    # A rate of 1 is no level: it would let everything pass.
    return Plan(gates=gates, max_error_rate=min(deployment.max_error_percent / 100, 0.99))


def _counts(tally: Tally, at: float) -> Counts:
    return Counts(errors=round(tally.crashes.get(at, 0)), invocations=round(tally.invocations.get(at, 0)))


def _shifted_at(release: Release) -> datetime:
    if release.shifted_at is None:
        raise ValueError(f"{release.id} has no step in force")
    return release.shifted_at


def _without_control(release: Release) -> tuple[Rung, ...]:
    """The last step, or every one where no function changes."""
    return release.rungs[-1:] if release.changing else release.rungs


def _end(release: Release) -> datetime:
    """Of what the gate of the step in force judges."""
    return _shifted_at(release) + (1 + release.extensions) * release.rungs[release.position - 1].span


def _stretch(release: Release, step: int, until: datetime) -> Stretch:
    """The minutes of the shifts, in which the weight changed, belong to no step."""
    start = _minute(release.shifts[step - 1]) + MINUTE
    end = release.shifts[step] if step < release.position else until
    return Stretch(step, start, max(start, _minute(min(end, until))))


def _minute(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // 60 * 60, UTC)
