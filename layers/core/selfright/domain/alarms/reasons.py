"""Says why an alarm is in its state, in the words of CloudWatch's own StateReason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from selfright.domain.alarms.definition import AlarmDefinition, Comparison
from selfright.domain.alarms.values import Point, State

_SHOWN = 5  # datapoints that CloudWatch lists at most

_WORDS = {
    Comparison.GREATER: "greater than",
    Comparison.GREATER_OR_EQUAL: "greater than or equal to",
    Comparison.LESS: "less than",
    Comparison.LESS_OR_EQUAL: "less than or equal to",
}


def too_few_samples(definition: AlarmDefinition, points: Sequence[Point]) -> str:
    """Tell that a percentile alarm kept its state because a datapoint rests on too few samples."""
    fewest = min(point.sample_count for point in points if point.sample_count is not None)
    return (
        f"Unchanged: one of the last {len(points)} datapoints rests on {fewest:g} samples, "
        f"fewer than {definition.samples_needed:g}."
    )


def retained(definition: AlarmDefinition, points: Sequence[Point]) -> str:
    """Tell that the alarm kept its state because missing data is ignored."""
    missing = _were(definition.n - len(points), "missing datapoint")
    return f"Unchanged: {_received(definition.n, len(points))} and {missing} ignored."


def decided(
    definition: AlarmDefinition, state: State, points: Sequence[Point], crossed: Sequence[Point]
) -> str:
    """Tell what led to `state`: of the real datapoints `points`, oldest first, `crossed` speak for it."""
    filled = definition.n - len(points)
    if state is State.INSUFFICIENT_DATA:
        return f"Insufficient Data: {_were(filled, 'datapoint')} unknown."
    enough = definition.m if state is State.ALARM else definition.n - definition.m + 1
    treated = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(definition.missing)
    if treated and len(crossed) < enough:
        missing = _were(filled, "missing datapoint")
        return (
            f"Threshold Crossed: {_received(definition.n, len(points))} and {missing} treated as [{treated}]."
        )
    crossing = f"{_crossing(definition)} Crossed: {_listed(definition, state, crossed, len(points))}"
    if len(crossed) >= enough:
        change = "OK -> ALARM" if state is State.ALARM else "ALARM -> OK"
        return f"{crossing} (minimum {_plural(enough, 'datapoint')} for {change} transition)."
    if state is State.OK:
        return f"{crossing} and {_were(filled, 'datapoint')} missing."
    return f"{crossing}, the oldest {_plural(definition.m, 'period')} ago or more, and none was within it."


def _crossing(definition: AlarmDefinition) -> str:
    return "Thresholds" if definition.comparison.uses_band else "Threshold"


def _listed(definition: AlarmDefinition, state: State, crossed: Sequence[Point], evaluated: int) -> str:
    newest = crossed[::-1][:_SHOWN]
    shown = ", ".join(f"{_number(p.value)} ({p.timestamp.astimezone(UTC):%d/%m/%y %H:%M:%S})" for p in newest)
    count = f"{len(crossed)} out of the last {evaluated} datapoints"
    verb = "was" if len(crossed) == 1 else "were"
    compared = _compared(definition, newest, no="" if state is State.ALARM else "not ")
    if len(crossed) > _SHOWN:
        return f"{count} {verb} {compared}. The most recent datapoints which crossed the threshold: [{shown}]"
    return f"{count} [{shown}] {verb} {compared}"


def _compared(definition: AlarmDefinition, points: Sequence[Point], *, no: str) -> str:
    if not definition.comparison.uses_band:
        return f"{no}{_WORDS[definition.comparison]} the threshold ({_number(definition.threshold)})"
    lower = f"{no}less than the lower thresholds [{', '.join(_number(point.lower) for point in points)}]"
    upper = f"{no}greater than the upper thresholds [{', '.join(_number(point.upper) for point in points)}]"
    if definition.comparison is Comparison.BELOW_BAND:
        return lower
    return upper if definition.comparison is Comparison.ABOVE_BAND else f"{lower} or {upper}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else repr(float(value))


def _received(n: int, real: int) -> str:
    datapoints = _were(real, "datapoint") if real else "no datapoints were"
    return f"{datapoints} received for {_plural(n, 'period')}"


def _were(count: int, what: str) -> str:
    return f"{_plural(count, what)} {'was' if count == 1 else 'were'}"


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
