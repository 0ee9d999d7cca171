"""The rules of metric alarms, one example each."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.domain.alarms import (
    AlarmDefinition,
    Point,
    State,
    breaches,
    evaluate,
    evaluate_series,
    evaluation_range,
)
from selfright.domain.errors import BadInputError
from tests.unit.alarms.builders import START, definition, drawn, points


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [
        ("GreaterThanThreshold", False, False, True),
        ("GreaterThanOrEqualToThreshold", False, True, True),
        ("LessThanThreshold", True, False, False),
        ("LessThanOrEqualToThreshold", True, True, False),
    ],
)
def test_static_operators_compare_the_value_with_the_threshold(
    operator: str, below: bool, equal: bool, above: bool
):
    alarm = definition(ComparisonOperator=operator, Threshold=5)

    assert [breaches(alarm, value) for value in (4.9, 5.0, 5.1)] == [below, equal, above]


def band_alarm(operator: str) -> AlarmDefinition:
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Latency"}, "Period": 60, "Stat": "Average"}
    metrics = [
        {"Id": "m1", "MetricStat": stat, "ReturnData": True},
        {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "ReturnData": True},
    ]
    plain = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period", "Threshold"))
    return definition(ComparisonOperator=operator, ThresholdMetricId="ad1", Metrics=metrics, **plain)


@pytest.mark.parametrize(
    ("operator", "verdicts"),
    [
        ("LessThanLowerThreshold", [True, False, False, False, False]),
        ("GreaterThanUpperThreshold", [False, False, False, False, True]),
        ("LessThanLowerOrGreaterThanUpperThreshold", [True, False, False, False, True]),
    ],
)
def test_band_operators_compare_the_value_with_the_band_of_its_period(operator: str, verdicts: list[bool]):
    alarm = band_alarm(operator)

    assert [breaches(alarm, value, 2.0, 4.0) for value in (1.9, 2.0, 3.0, 4.0, 4.1)] == verdicts


def test_band_operators_without_a_band_are_refused():
    with pytest.raises(BadInputError, match="ComparisonOperator: GreaterThanUpperThreshold needs the band"):
        evaluate(band_alarm("GreaterThanUpperThreshold"), points(1.0), State.OK)


def test_band_alarm_goes_off_and_names_the_thresholds():
    alarm = band_alarm("GreaterThanUpperThreshold")
    window = [Point(point.timestamp, point.value, None, 0.5, 2.5) for point in points(1.0, 3.0, 4.0)]

    evaluation = evaluate(alarm, window, State.OK)

    assert evaluation.state is State.ALARM
    assert evaluation.reason == (
        "Thresholds Crossed: 2 out of the last 3 datapoints [4.0 (23/11/26 10:02:00), 3.0 (23/11/26 10:01:00)] "
        "were greater than the upper thresholds [2.5, 2.5] (minimum 2 datapoints for OK -> ALARM transition)."
    )


@pytest.mark.parametrize(("n", "periods"), [(1, 3), (3, 5), (5, 7)])
def test_evaluation_range_is_two_periods_longer_than_n(n: int, periods: int):
    assert evaluation_range(n) == periods


def test_an_alarm_starts_without_data_and_follows_its_metric():
    # Given 2 of 3 and a metric that rises and falls
    history = drawn("0 X X 0 0 X")

    # When it is evaluated after each period
    states = [evaluation.state for evaluation in evaluate_series(definition(), history)]

    # Then it alarms with the second breaching point and recovers when only one is left among the last three
    assert states == [State.OK, State.OK, State.ALARM, State.ALARM, State.OK, State.OK]


def test_a_day_long_silence_moves_a_one_of_one_alarm_after_three_empty_periods():
    # The case users report on one-day periods: missing data treated as breaching alarms on the third day.
    alarm = definition(EvaluationPeriods=1, DatapointsToAlarm=1, TreatMissingData="breaching", Period=86_400)

    states = [evaluation.state.value for evaluation in evaluate_series(alarm, drawn("0 - - -"))]

    assert states == ["OK", "OK", "OK", "ALARM"]


@pytest.mark.parametrize("mode", ["missing", "breaching", "notBreaching"])
def test_dynamodb_metrics_always_ignore_missing_data(mode: str):
    alarm = definition(Namespace="AWS/DynamoDB", TreatMissingData=mode)

    assert alarm.missing == "ignore"
    assert evaluate(alarm, drawn("- - - - -"), State.ALARM).state is State.ALARM


def test_a_window_longer_than_the_range_is_cut_and_a_shorter_one_padded():
    alarm = definition(TreatMissingData="notBreaching")

    cut = evaluate(alarm, drawn("X X - - - - -"), State.OK)
    padded = evaluate(alarm, drawn("X X"), State.OK)

    assert (cut.state, cut.evaluated) == (State.OK, ())
    assert (padded.state, padded.evaluated) == (State.ALARM, tuple(drawn("X X")))


def test_what_is_done_to_the_points_later_does_not_change_an_evaluation():
    history = drawn("0 X X")
    evaluation = evaluate(definition(), history, State.OK)

    history.clear()

    assert len(evaluation.evaluated) == 3


def test_the_evaluated_points_are_the_newest_real_ones():
    evaluation = evaluate(definition(), points(1.0, 2.0, None, 3.0, 4.0), State.OK)

    assert [point.value for point in evaluation.evaluated] == [2.0, 3.0, 4.0]


class TestFewSamples:
    @pytest.mark.parametrize(
        ("percentile", "needed"),
        [
            ("p99", 1000),
            ("p95", 200),
            ("p90", 100),
            ("p99.9", 10_000),
            ("p50", 20),
            ("p10", 100),
            ("p1", 1000),
        ],
    )
    def test_samples_needed(self, percentile: str, needed: float):
        alarm = self.percentile_alarm(percentile)

        assert alarm.samples_needed == needed

    @pytest.mark.parametrize("statistic", ["p0", "p100", "tm99", "IQM"])
    def test_other_statistics_need_none(self, statistic: str):
        assert self.percentile_alarm(statistic).samples_needed is None

    @pytest.mark.parametrize(
        ("samples", "state"), [(999, State.OK), (1000, State.ALARM), (None, State.ALARM)]
    )
    def test_ignore_keeps_the_state_while_samples_are_few(self, samples: float | None, state: State):
        alarm = self.percentile_alarm("p99")

        evaluation = evaluate(alarm, points(9.0, 9.0, 9.0, samples=samples), State.OK)

        assert evaluation.state is state

    def test_ignore_says_so(self):
        evaluation = evaluate(self.percentile_alarm("p99"), points(9.0, 9.0, 9.0, samples=12), State.OK)

        assert evaluation.reason == (
            "Unchanged: one of the last 3 datapoints rests on 12 samples, fewer than 1000."
        )

    def test_evaluate_looks_at_the_value_only(self):
        alarm = self.percentile_alarm("p99", EvaluateLowSampleCountPercentile="evaluate")

        assert evaluate(alarm, points(9.0, 9.0, 9.0, samples=1), State.OK).state is State.ALARM

    def percentile_alarm(self, statistic: str, **changes: Any) -> AlarmDefinition:
        ignoring = {"Statistic": None, "EvaluateLowSampleCountPercentile": "ignore"}
        return definition(ExtendedStatistic=statistic, **(ignoring | changes))


class TestReasons:
    @pytest.mark.parametrize(
        ("marks", "mode", "reason"),
        [
            (
                "0 X X",
                "missing",
                (
                    "Threshold Crossed: 2 out of the last 3 datapoints [9.0 (23/11/26 10:02:00), "
                    "9.0 (23/11/26 10:01:00)] were greater than the threshold (5.0) "
                    "(minimum 2 datapoints for OK -> ALARM transition)."
                ),
            ),
            (
                "0 X 0",
                "missing",
                (
                    "Threshold Crossed: 2 out of the last 3 datapoints [1.0 (23/11/26 10:02:00), "
                    "1.0 (23/11/26 10:00:00)] were not greater than the threshold (5.0) "
                    "(minimum 2 datapoints for ALARM -> OK transition)."
                ),
            ),
            (
                "- - 0",
                "missing",
                (
                    "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (23/11/26 10:02:00)] was not greater "
                    "than the threshold (5.0) and 2 datapoints were missing."
                ),
            ),
            (
                "- X -",
                "missing",
                (
                    "Threshold Crossed: 1 out of the last 1 datapoints [9.0 (23/11/26 10:01:00)] was greater "
                    "than the threshold (5.0), the oldest 2 periods ago or more, and none was within it."
                ),
            ),
            ("- - -", "missing", "Insufficient Data: 3 datapoints were unknown."),
            (
                "- - -",
                "breaching",
                (
                    "Threshold Crossed: no datapoints were received for 3 periods and "
                    "3 missing datapoints were treated as [Breaching]."
                ),
            ),
            (
                "- X -",
                "notBreaching",
                (
                    "Threshold Crossed: 1 datapoint was received for 3 periods and "
                    "2 missing datapoints were treated as [NonBreaching]."
                ),
            ),
            (
                "- X -",
                "ignore",
                "Unchanged: 1 datapoint was received for 3 periods and 2 missing datapoints were ignored.",
            ),
        ],
    )
    def test_reason(self, marks: str, mode: str, reason: str):
        assert evaluate(definition(TreatMissingData=mode), drawn(marks), State.OK).reason == reason

    def test_only_the_five_newest_points_are_listed(self):
        alarm = definition(EvaluationPeriods=6, DatapointsToAlarm=6)

        reason = evaluate(alarm, points(10, 11, 12, 13, 14, 15), State.OK).reason

        assert reason.startswith(
            "Threshold Crossed: 6 out of the last 6 datapoints were greater than the threshold (5.0). "
            "The most recent datapoints which crossed the threshold: [15.0 (23/11/26 10:05:00), 14.0 "
        )
        assert reason.count("(23/11/26") == 5

    def test_times_are_told_in_utc(self):
        from datetime import timedelta, timezone

        window = [Point(START.astimezone(timezone(timedelta(hours=9))), 9.0)] * 3

        assert "(23/11/26 10:00:00)" in evaluate(definition(), window, State.OK).reason
