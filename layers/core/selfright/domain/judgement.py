"""Did the change help? Decided on the metric that raised the alarm, and on the guards that must not get worse.

Only whole periods that began after the change count: a period that straddles it mixes both worlds. The alarm's own
rule decides what is sick, through the same evaluator that CloudWatch's behaviour is modelled by, over the newest
of those periods that hold data. No data is not health, whatever the alarm makes of it: it is `unknown`. The same
goes for a guard that had data before the change and has none since.

An alarm that wants many periods (10 of 10 minutes) is patient so that it does not wake people for a blip. After a
change nobody needs that patience where the matter is clear sooner; see `_early`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from selfright.domain.alarms import AlarmDefinition, Point, State, breaches, evaluate

# Metrics of AWS services arrive up to two minutes late, and a minute grows until then: a throttle that is not
# counted yet looks like health.
METRIC_LAG = timedelta(minutes=2)
# Seconds of whole periods with data from which a clear matter may be judged before the alarm's own number of periods:
# three minutes, or one longer period.
EARLIEST = 180
WORSE_BY = 1.25  # the mean moved a quarter further beyond the threshold: more than minute-to-minute noise


class Outcome(StrEnum):
    HEALTHY = "healthy"
    SICK = "sick"
    WORSE = "worse"
    UNKNOWN = "unknown"
    PENDING = "pending"  # not enough whole periods yet; look again


class Judgement(BaseModel):
    """A verdict and the numbers it rests on: metric values of whole periods before and after the change."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    outcome: Outcome
    metric: str
    threshold: float
    comparison: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    guards: dict[str, str]
    reason: str
    judged_at: AwareDatetime


class GuardState(StrEnum):
    FINE = "fine"
    WORSE = "worse"  # in alarm since the change, not before it
    BAD_BEFORE = "bad before"  # in alarm, as it was before the change
    UNSEEN = "unseen"  # had data before the change, but no whole period of it since
    SUSPECT = "suspect"  # beyond the threshold in every period since, though too few of them for an alarm
    NO_DATA = "no data"  # neither before nor since: it has nothing to say


_UNDECIDED = {GuardState.UNSEEN, GuardState.SUSPECT}


class Watched(BaseModel):
    """One alarm's definition with its datapoints: epoch seconds of a period's start to value."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    name: str
    metric: str
    definition: AlarmDefinition
    points: Mapping[float, float]

    def whole_periods(self, start: datetime, end: datetime) -> list[Point]:
        """One point per whole period within [start, end], oldest first; value None where none was reported."""
        period = self.definition.period
        first = -(-start.timestamp() // period) * period
        count = int((end.timestamp() - first) // period)
        times = [first + i * period for i in range(max(count, 0))]
        return [Point(timestamp=datetime.fromtimestamp(t, UTC), value=self.points.get(t)) for t in times]


def judge(
    trigger: Watched,
    guards: Sequence[Watched],
    *,
    applied_at: datetime,
    final_until: datetime,
    now: datetime,
    deadline: datetime,
    baseline: datetime,
) -> Judgement:
    """Verdict on a change made at `applied_at`.

    `final_until`: periods that ended by then will not change any more (see METRIC_LAG). `baseline`: from when
    values count as before the change. `deadline`: when waiting for data ends.
    """
    before = _values(trigger.whole_periods(baseline, applied_at))
    reported = [p for p in trigger.whole_periods(applied_at, final_until) if p.value is not None]
    after = _values(reported)
    seen = {g.name: _compare(g, baseline, applied_at, final_until) for g in guards}

    def verdict(outcome: Outcome, reason: str) -> Judgement:
        return Judgement(
            outcome=outcome,
            metric=trigger.metric,
            threshold=trigger.definition.threshold or 0.0,
            comparison=trigger.definition.comparison,
            before=before,
            after=after,
            guards={name: state.value for name, state in seen.items()},
            reason=reason,
            judged_at=now,
        )

    def undecided(have: str) -> Judgement:
        if now < deadline:
            return verdict(Outcome.PENDING, have)
        return verdict(Outcome.UNKNOWN, f"{have}, and the time to verify is over")

    if broken := [name for name, state in seen.items() if state is GuardState.WORSE]:
        return verdict(Outcome.WORSE, f"guard {', '.join(broken)} went into alarm after the change")
    ruling = _ruling(trigger.definition, reported, after)
    if ruling is None:
        return undecided(f"{len(after)} of {trigger.definition.n} whole periods with data since the change")
    healthy, reason = ruling
    if healthy:
        if open_ := [f"{name} is {state}" for name, state in seen.items() if state in _UNDECIDED]:
            return undecided(f"guard {', '.join(open_)}")
        return verdict(Outcome.HEALTHY, reason)
    if before and after and _distance(trigger, after) > WORSE_BY * max(_distance(trigger, before), 0.0):
        return verdict(Outcome.WORSE, f"further beyond the threshold than before: {reason}")
    return verdict(Outcome.SICK, reason)


def _ruling(
    definition: AlarmDefinition, reported: Sequence[Point], after: Sequence[float]
) -> tuple[bool, str] | None:
    """Whether the values since the change are healthy, and why; None where it cannot be told yet."""
    if len(after) < definition.n:
        return _early(definition, after)
    evaluation = evaluate(definition, reported[-definition.n :], State.OK)
    return evaluation.state is State.OK, evaluation.reason


def _early(definition: AlarmDefinition, after: Sequence[float]) -> tuple[bool, str] | None:
    """The ruling before there are n periods, where three minutes of them (EARLIEST) are reported and they agree.

    Healthy: the newest three minutes are within the threshold, and already more than n - m periods are, so that these
    n cannot add up to m breaching ones any more, whatever is still to come. Sick: every single one breaches.
    """
    n, m, count = definition.n, definition.m, len(after)
    enough = math.ceil(EARLIEST / definition.period)
    if count < enough:
        return None
    beyond = [breaches(definition, value) for value in after]
    if all(beyond):
        return False, f"all {count} whole periods since the change are beyond the threshold"
    fine = count - sum(beyond)
    if fine > n - m and not any(beyond[-enough:]):
        return (
            True,
            f"{fine} of {count} whole periods since the change are within the threshold, the newest too",
        )
    return None


def _compare(guard: Watched, baseline: datetime, applied_at: datetime, final_until: datetime) -> GuardState:
    """How a guard stands since the change, counted on the values that were reported.

    Not by the evaluator: so soon after a change most of a long alarm's periods are still to come, and the alarm's
    treatment of missing data would speak for them.
    """
    n, m = guard.definition.n, guard.definition.m
    before = _values(guard.whole_periods(baseline, applied_at))[-n:]
    since = _values(guard.whole_periods(applied_at, final_until))[-n:]
    if not since:
        return GuardState.UNSEEN if before else GuardState.NO_DATA
    beyond = sum(breaches(guard.definition, v) for v in since)
    if beyond < min(m, len(since)):
        return GuardState.FINE
    if before and sum(breaches(guard.definition, v) for v in before) >= min(m, len(before)):
        return GuardState.BAD_BEFORE
    return GuardState.WORSE if beyond >= m else GuardState.SUSPECT


def _distance(watched: Watched, values: Sequence[float]) -> float:
    """Mean distance of the breaching values beyond the threshold; 0 where none breaches."""
    threshold = watched.definition.threshold or 0.0
    beyond = [abs(v - threshold) for v in values if breaches(watched.definition, v)]
    return sum(beyond) / len(beyond) if beyond else 0.0


def _values(points: Sequence[Point]) -> tuple[float, ...]:
    return tuple(p.value for p in points if p.value is not None)
