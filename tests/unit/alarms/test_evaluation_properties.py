"""What holds of the evaluator for any alarm and any history."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.alarms import AlarmDefinition, Point, State, evaluate, evaluate_series, evaluation_range
from tests.unit.alarms.builders import MINUTE, START, definition

MODES = st.sampled_from(["missing", "ignore", "breaching", "notBreaching"])
VALUES = st.sampled_from([1.0, 9.0])  # within and beyond the threshold of 5
HISTORIES = st.lists(st.one_of(st.none(), VALUES), max_size=30)


@st.composite
def sizes(draw: st.DrawFn) -> dict[str, int]:
    n = draw(st.integers(1, 6))
    return {"EvaluationPeriods": n, "DatapointsToAlarm": draw(st.integers(1, n))}


@st.composite
def percentile_alarms(draw: st.DrawFn) -> AlarmDefinition:
    changes: dict[str, Any] = {**draw(sizes()), "TreatMissingData": draw(MODES), "Statistic": None}
    return definition(ExtendedStatistic="p99", EvaluateLowSampleCountPercentile="ignore", **changes)


def history(values: list[float | None]) -> list[Point]:
    return [Point(START + place * MINUTE, value) for place, value in enumerate(values)]


@given(sizes(), MODES, st.lists(VALUES, max_size=30))
def test_without_gaps_it_is_m_of_the_last_n(size: dict[str, int], mode: str, values: list[float | None]):
    # Given an unbroken history
    alarm = definition(**size, TreatMissingData=mode)

    # When it is evaluated after each period
    states = [evaluation.state for evaluation in evaluate_series(alarm, history(values))]

    # Then, from the Nth period on, counting the last N says the same
    for end in range(alarm.n, len(values) + 1):
        beyond = sum(value > 5 for value in values[end - alarm.n : end])
        assert states[end - 1] is (State.ALARM if beyond >= alarm.m else State.OK)


@given(sizes(), HISTORIES, st.sampled_from(State))
def test_treating_gaps_as_good_is_never_worse_than_as_bad(
    size: dict[str, int], values: list[float | None], previous: State
):
    good = evaluate(definition(**size, TreatMissingData="notBreaching"), history(values), previous)
    bad = evaluate(definition(**size, TreatMissingData="breaching"), history(values), previous)

    assert State.INSUFFICIENT_DATA not in (good.state, bad.state)
    assert not (good.state is State.ALARM and bad.state is State.OK)


@given(sizes(), MODES, HISTORIES, HISTORIES, st.sampled_from(State))
def test_points_older_than_the_range_change_nothing(
    size: dict[str, int], mode: str, older: list[float | None], values: list[float | None], previous: State
):
    alarm = definition(**size, TreatMissingData=mode)
    window = [None] * evaluation_range(alarm.n) + values

    alone = evaluate(alarm, history(window), previous)
    preceded = evaluate(alarm, history(older + window), previous)

    assert preceded.state is alone.state
    assert [point.value for point in preceded.evaluated] == [point.value for point in alone.evaluated]


@given(sizes(), MODES, HISTORIES, st.sampled_from(State))
def test_only_ignoring_gaps_remembers_the_previous_state(
    size: dict[str, int], mode: str, values: list[float | None], previous: State
):
    alarm = definition(**size, TreatMissingData=mode)

    states = {evaluate(alarm, history(values), before).state for before in State}

    assert len(states) == 1 or (mode == "ignore" and states == set(State))


@given(
    percentile_alarms(),
    st.lists(st.tuples(st.one_of(st.none(), VALUES), st.sampled_from([10, 1000])), max_size=30),
)
def test_a_series_is_the_fold_of_single_evaluations(
    alarm: AlarmDefinition, readings: list[tuple[float | None, int]]
):
    # Given a history with gaps and periods of few samples
    whole = [Point(START + place * MINUTE, value, samples) for place, (value, samples) in enumerate(readings)]

    # When it is evaluated at once and step by step
    at_once = evaluate_series(alarm, whole)
    state, steps = State.INSUFFICIENT_DATA, []
    for end in range(1, len(whole) + 1):
        steps.append(evaluate(alarm, whole[:end], state))
        state = steps[-1].state

    # Then both say the same, in the same words
    assert [(e.state, e.reason, e.evaluated) for e in at_once] == [
        (e.state, e.reason, e.evaluated) for e in steps
    ]
