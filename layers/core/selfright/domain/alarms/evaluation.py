"""Decides an alarm's state from its newest datapoints, by CloudWatch's rules.

Source: CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data".
The two tables on that page are test data of this module; docs/alarms.md tells the rules in words.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from selfright.domain.alarms import reasons
from selfright.domain.alarms.definition import AlarmDefinition, Comparison
from selfright.domain.alarms.values import Point, State
from selfright.domain.errors import BadInputError

_STATIC: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.LESS: operator.lt,
    Comparison.LESS_OR_EQUAL: operator.le,
}


class Evaluation:
    """One evaluation: the state it ended in, why, and the real datapoints it rests on (oldest first).

    Reason and datapoints are worked out when asked for: a back-test asks for states only, and wants them
    fast.
    """

    __slots__ = ("_definition", "_end", "_points", "state")

    def __init__(
        self, state: State, definition: AlarmDefinition, points: tuple[Point, ...], end: int
    ) -> None:
        self.state = state
        self._definition = definition
        self._points = points
        self._end = end

    @property
    def evaluated(self) -> tuple[Point, ...]:
        """The newest N real datapoints of the evaluation range, or all of them where they are fewer."""
        return self._weighed().points

    @property
    def reason(self) -> str:
        """Why the alarm is in this state, in CloudWatch's words where these are known."""
        weighed = self._weighed()
        if weighed.too_few_samples:
            return reasons.too_few_samples(self._definition, weighed.points)
        if _decide(self._definition, weighed) is None:
            return reasons.retained(self._definition, weighed.points)
        verdicts = _verdicts(self._definition, weighed.points)
        crossed = [
            point
            for point, verdict in zip(weighed.points, verdicts, strict=True)
            if verdict is (self.state is State.ALARM)
        ]
        return reasons.decided(self._definition, self.state, weighed.points, crossed)

    def __repr__(self) -> str:
        return f"Evaluation({self.state}, {self.reason!r})"

    def _weighed(self) -> _Weighed:
        start = max(0, self._end - evaluation_range(self._definition.n))
        return _weigh(self._definition, self._points[start : self._end])


class _Weighed(NamedTuple):
    """What counts for a decision: the evaluated real points, and the age of the oldest (newest period: 1)."""

    points: tuple[Point, ...]
    breaching: int
    oldest_age: int
    too_few_samples: bool


def evaluation_range(n: int) -> int:
    """Periods that CloudWatch looks back over for an alarm of `n` evaluation periods: n + 2.

    AWS documents one case, 5 periods for n = 3; the number "depends on the length of the alarm period". n + 2
    also agrees with the one-day alarms of n = 1 that users saw need three empty days (docs/alarms.md).
    """
    return n + 2


def breaches(
    definition: AlarmDefinition, value: float, lower: float | None = None, upper: float | None = None
) -> bool:
    """Tell whether one value violates the threshold, or leaves the band given by `lower` and `upper`.

    Raises BadInputError: an anomaly detection alarm was given no band.
    """
    comparison, threshold = definition.comparison, definition.threshold
    compare = _STATIC.get(comparison)
    if compare and threshold is not None:
        return compare(value, threshold)
    if lower is None or upper is None:
        raise BadInputError(
            "ComparisonOperator", f"{comparison} needs the band of every datapoint: lower and upper"
        )
    below, above = value < lower, value > upper
    if comparison is Comparison.BELOW_BAND:
        return below
    return above if comparison is Comparison.ABOVE_BAND else below or above


def evaluate(definition: AlarmDefinition, window: Sequence[Point], previous: State) -> Evaluation:
    """Evaluate once, over the newest periods of `window` (oldest first, one point per period).

    A longer window is cut to the evaluation range; what a shorter one lacks counts as missing. `previous` is
    the state that "ignore" retains.
    """
    window = tuple(window[-evaluation_range(definition.n) :])
    weighed = _weigh(definition, window)
    decided = None if weighed.too_few_samples else _decide(definition, weighed)
    return Evaluation(decided or previous, definition, window, len(window))


def evaluate_series(definition: AlarmDefinition, points: Sequence[Point]) -> list[Evaluation]:
    """Evaluate after each period of a history (oldest first), starting from INSUFFICIENT_DATA.

    Linear in the number of points, whatever the evaluation range.
    """
    n, reach, needed = definition.n, evaluation_range(definition.n), definition.samples_needed
    points = tuple(points)
    verdicts = _verdicts(definition, points)
    real: deque[int] = deque()  # places of the real points inside the range
    breaching, newest_poor = 0, -1
    state, evaluations = State.INSUFFICIENT_DATA, []
    for place, verdict in enumerate(verdicts):
        if real and real[0] <= place - reach:
            breaching -= verdicts[real.popleft()] is True
        if verdict is not None:
            real.append(place)
            breaching += verdict
            if needed is not None and _is_poor(points[place], needed):
                newest_poor = place
        # Of more than N real points the oldest are not needed; reach - n bounds how many these are.
        spare = max(0, len(real) - n)
        counted = breaching
        for place_in_range in range(spare):
            counted -= verdicts[real[place_in_range]] is True
        oldest = real[spare] if real else place + 1
        if newest_poor < oldest:  # else the state would rest on too few samples and is kept
            state = _judge(definition, len(real) - spare, counted, place + 1 - oldest) or state
        evaluations.append(Evaluation(state, definition, points, place + 1))
    return evaluations


def _weigh(definition: AlarmDefinition, window: Sequence[Point]) -> _Weighed:
    real = [(place, point) for place, point in enumerate(window) if point.value is not None][-definition.n :]
    points = tuple(point for _, point in real)
    needed = definition.samples_needed
    return _Weighed(
        points=points,
        breaching=sum(verdict is True for verdict in _verdicts(definition, points)),
        oldest_age=len(window) - real[0][0] if real else 0,
        too_few_samples=needed is not None and any(_is_poor(point, needed) for point in points),
    )


def _verdicts(definition: AlarmDefinition, points: Sequence[Point]) -> list[bool | None]:
    compare, threshold = _STATIC.get(definition.comparison), definition.threshold
    if compare and threshold is not None:
        return [None if point.value is None else compare(point.value, threshold) for point in points]
    return [None if p.value is None else breaches(definition, p.value, p.lower, p.upper) for p in points]


def _is_poor(point: Point, needed: float) -> bool:
    return point.sample_count is not None and point.sample_count < needed


def _decide(definition: AlarmDefinition, weighed: _Weighed) -> State | None:
    return _judge(definition, len(weighed.points), weighed.breaching, weighed.oldest_age)


def _judge(definition: AlarmDefinition, real: int, breaching: int, oldest_age: int) -> State | None:
    """Give the state that follows from `real` evaluated points; None: the present state is retained."""
    m, filled, missing = definition.m, definition.n - real, definition.missing
    if breaching >= m:
        return State.ALARM
    if filled == 0:
        return State.OK
    if missing == "breaching":
        return State.ALARM if breaching + filled >= m else State.OK
    if missing == "notBreaching" or real > breaching:
        return State.OK
    if missing == "ignore":
        return None
    # Premature ALARM: only breaching points are there, and the oldest has had M periods to be contradicted.
    return State.ALARM if real and oldest_age >= m else State.INSUFFICIENT_DATA
