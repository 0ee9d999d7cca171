"""Did it help? On whole periods after the change, with data in them, and with the guards looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selfright.domain.alarms import AlarmDefinition
from selfright.domain.judgement import METRIC_LAG, GuardState, Judgement, Outcome, Watched, judge

APPLIED = datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC)  # in the middle of a minute
FIRST = datetime(2026, 11, 23, 10, 1, tzinfo=UTC)  # the first whole minute after the change
BASELINE = APPLIED - timedelta(minutes=15)
SICK, FINE = 20.0, 0.0


def definition(**changes: Any) -> AlarmDefinition:
    return AlarmDefinition.parse(
        {
            "AlarmName": "throttled",
            "Namespace": "Shop",
            "MetricName": "ThrottledPercent",
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 3,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            **changes,
        }
    )


def watched(
    before: Sequence[float | None], after: Sequence[float | None], name: str = "throttled", **changes: Any
) -> Watched:
    """`before` ends with the last whole period before the change, `after` begins with the first one after it."""
    rule = definition(**changes)
    first_after = -(-APPLIED.timestamp() // rule.period) * rule.period
    last_before = APPLIED.timestamp() // rule.period * rule.period
    points = {last_before - (len(before) - i) * rule.period: v for i, v in enumerate(before) if v is not None}
    points |= {first_after + i * rule.period: v for i, v in enumerate(after) if v is not None}
    return Watched(name=name, metric="throttled, percent", definition=rule, points=points)


def judged(trigger: Watched, *guards: Watched, minutes: float = 5.0, deadline: float = 15.0) -> Judgement:
    return judge(
        trigger,
        guards,
        applied_at=APPLIED,
        final_until=FIRST + timedelta(minutes=minutes),
        now=FIRST + timedelta(minutes=minutes),
        deadline=APPLIED + timedelta(minutes=deadline),
        baseline=BASELINE,
    )


def test_healthy_when_the_alarms_own_rule_says_so():
    judgement = judged(watched([SICK] * 3, [FINE] * 5))

    assert judgement.outcome is Outcome.HEALTHY
    assert judgement.before == (SICK,) * 3
    assert judgement.after == (FINE,) * 5
    assert (judgement.threshold, judgement.comparison) == (5.0, "GreaterThanThreshold")


def test_sick_when_it_is_as_bad_as_before():
    assert judged(watched([SICK] * 3, [SICK] * 5)).outcome is Outcome.SICK


def test_the_newest_periods_decide():
    assert judged(watched([SICK] * 3, [SICK, SICK, FINE, FINE, FINE])).outcome is Outcome.HEALTHY
    assert judged(watched([SICK] * 3, [FINE, FINE, SICK, SICK, SICK])).outcome is Outcome.SICK


def test_worse_when_it_moved_a_quarter_further_beyond_the_threshold():
    assert judged(watched([25.0] * 3, [30.0] * 5)).outcome is Outcome.SICK  # exactly 1.25 times the distance
    assert judged(watched([25.0] * 3, [30.1] * 5)).outcome is Outcome.WORSE


def test_the_period_in_which_the_change_was_made_counts_for_neither_side():
    # Given a terrible value in the minute of the change, and health after it
    trigger = watched([SICK] * 3, [FINE] * 3)
    straddling = APPLIED.replace(second=0).timestamp()
    trigger = trigger.model_copy(update={"points": {**trigger.points, straddling: 100.0}})

    judgement = judged(trigger, minutes=3)

    assert judgement.outcome is Outcome.HEALTHY
    assert 100.0 not in (*judgement.before, *judgement.after)


def test_a_period_that_has_not_ended_does_not_count():
    assert judged(watched([SICK] * 3, [FINE] * 4), minutes=2.9).outcome is Outcome.PENDING


def test_pending_until_there_are_as_many_periods_as_the_alarm_wants():
    judgement = judged(watched([SICK] * 3, [FINE] * 2), minutes=2)

    assert judgement.outcome is Outcome.PENDING
    assert judgement.reason == "2 of 3 whole periods with data since the change"


def test_unknown_when_the_time_to_verify_is_over():
    judgement = judged(watched([SICK] * 3, [FINE] * 2), minutes=15)

    assert judgement.outcome is Outcome.UNKNOWN
    assert judgement.reason.endswith("and the time to verify is over")


@pytest.mark.parametrize("missing", ["missing", "ignore", "breaching", "notBreaching"])
def test_no_data_is_not_health_whatever_the_alarm_makes_of_it(missing: str):
    silent = watched([SICK] * 3, [], TreatMissingData=missing)

    assert judged(silent, minutes=10).outcome is Outcome.PENDING
    assert judged(silent, minutes=15).outcome is Outcome.UNKNOWN


def test_silence_after_bad_values_is_not_health():
    """The callers may have given up: what was reported last was sick."""
    gone_quiet = watched([SICK] * 3, [SICK] * 3 + [None] * 6)

    assert judged(gone_quiet, minutes=9).outcome is Outcome.SICK


def test_a_sparse_metric_is_judged_on_the_periods_it_reports():
    every_third = [v for _ in range(3) for v in (FINE, None, None)]

    assert judged(watched([SICK] * 3, every_third), minutes=6).outcome is Outcome.PENDING
    assert judged(watched([SICK] * 3, every_third), minutes=9).outcome is Outcome.HEALTHY


def test_a_guard_that_goes_into_alarm_makes_it_worse_even_where_the_metric_is_fine():
    guard = watched([FINE] * 5, [SICK] * 5, name="checkout-errors")

    judgement = judged(watched([SICK] * 3, [FINE] * 5), guard)

    assert judgement.outcome is Outcome.WORSE
    assert judgement.guards == {"checkout-errors": GuardState.WORSE.value}
    assert "checkout-errors" in judgement.reason


def test_a_guard_that_was_bad_before_is_not_held_against_the_change():
    guard = watched([SICK] * 5, [SICK] * 5, name="checkout-errors")

    judgement = judged(watched([SICK] * 3, [FINE] * 5), guard)

    assert judgement.outcome is Outcome.HEALTHY
    assert judgement.guards == {"checkout-errors": "bad before"}


def test_a_guard_without_any_data_has_nothing_to_say():
    judgement = judged(watched([SICK] * 3, [FINE] * 5), watched([], [], name="idle"))

    assert judgement.outcome is Outcome.HEALTHY
    assert judgement.guards == {"idle": "no data"}


def test_a_guard_that_has_fallen_silent_holds_the_verdict_back():
    guard = watched([FINE] * 5, [], name="checkout-errors")
    trigger = watched([SICK] * 3, [FINE] * 15)

    assert judged(trigger, guard).outcome is Outcome.PENDING
    late = judged(trigger, guard, minutes=15)
    assert late.outcome is Outcome.UNKNOWN
    assert late.reason.startswith("guard checkout-errors is unseen")


def test_a_guard_with_long_periods_is_waited_for():
    long: dict[str, Any] = {"Period": 300, "EvaluationPeriods": 3, "name": "availability"}
    trigger = watched([SICK] * 3, [FINE] * 15)

    early = judged(trigger, watched([FINE] * 3, [], **long), minutes=5)
    seen = judged(trigger, watched([FINE] * 3, [FINE], **long), minutes=9)

    assert (early.outcome, seen.outcome) == (Outcome.PENDING, Outcome.HEALTHY)


def test_a_slow_guard_that_is_bad_in_every_period_holds_the_verdict_back():
    """Fifteen bad minutes raise the alarm; five of five are no alarm yet, and no proof of health either."""
    slow: dict[str, Any] = {"EvaluationPeriods": 15, "name": "latency"}
    trigger = watched([SICK] * 3, [FINE] * 15)

    judgement = judged(trigger, watched([FINE] * 14, [SICK] * 5, **slow))

    assert judgement.outcome is Outcome.PENDING
    assert judgement.guards == {"latency": "suspect"}


def test_missing_periods_never_speak_against_a_guard():
    """Five minutes after the change a 15-minute alarm lacks ten periods: they are to come, not bad."""
    slow: dict[str, Any] = {"EvaluationPeriods": 15, "DatapointsToAlarm": 3, "TreatMissingData": "breaching"}

    judgement = judged(
        watched([SICK] * 3, [FINE] * 5), watched([FINE] * 14, [FINE] * 5, name="heartbeat", **slow)
    )

    assert judgement.outcome is Outcome.HEALTHY
    assert judgement.guards == {"heartbeat": "fine"}


def test_whole_periods_lie_on_the_periods_borders():
    trigger = watched([], [FINE] * 3)

    periods = trigger.whole_periods(APPLIED, FIRST + timedelta(minutes=3, seconds=59))

    assert [p.timestamp for p in periods] == [FIRST + timedelta(minutes=n) for n in range(3)]


def test_a_minute_whose_metrics_are_still_arriving_proves_nothing():
    # Given three healthy minutes, the last of which ended a minute ago
    trigger = watched([SICK] * 3, [FINE] * 3)
    now = FIRST + timedelta(minutes=4)
    # When only what is final counts
    judgement = judge(
        trigger,
        (),
        applied_at=APPLIED,
        final_until=now - METRIC_LAG,
        now=now,
        deadline=APPLIED + timedelta(minutes=15),
        baseline=BASELINE,
    )
    # Then there is no verdict yet
    assert judgement.outcome is Outcome.PENDING
    assert judgement.reason == "2 of 3 whole periods with data since the change"


# -- alarms that want many periods

PATIENT: dict[str, Any] = {"EvaluationPeriods": 10}  # of 10, as the error-rate alarms


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        ([FINE] * 2, Outcome.PENDING),  # too few, however they agree
        ([SICK] * 2, Outcome.PENDING),
        ([FINE] * 3, Outcome.HEALTHY),
        ([SICK, FINE, FINE, FINE], Outcome.HEALTHY),  # the change took a minute to take effect
        ([FINE, FINE, FINE, SICK], Outcome.PENDING),  # it may be coming back
        ([SICK, FINE, SICK, FINE, FINE], Outcome.PENDING),
        ([SICK] * 3, Outcome.SICK),
        ([SICK, SICK, SICK, FINE], Outcome.PENDING),  # it may only just have begun to work
    ],
)
def test_a_clear_matter_is_judged_before_all_periods_are_there(after: list[float], outcome: Outcome):
    judgement = judged(watched([SICK] * 10, after, **PATIENT), minutes=len(after))

    assert judgement.outcome is outcome


def test_with_all_periods_there_the_alarms_own_rule_decides():
    undecided = [FINE, SICK] * 5

    nine = judged(watched([SICK] * 10, undecided[:9], **PATIENT), minutes=9)
    ten = judged(watched([SICK] * 10, undecided, **PATIENT), minutes=10)

    assert nine.outcome is Outcome.PENDING
    assert nine.reason == "9 of 10 whole periods with data since the change"
    assert ten.outcome is Outcome.HEALTHY  # the alarm wants ten of ten


def test_early_health_waits_until_the_rule_cannot_be_met_any_more():
    """2 of 10: three fine minutes leave room for two bad ones among the seven that are to come; nine do not."""
    sensitive: dict[str, Any] = {**PATIENT, "DatapointsToAlarm": 2}

    assert judged(watched([SICK] * 10, [FINE] * 8, **sensitive), minutes=8).outcome is Outcome.PENDING
    assert judged(watched([SICK] * 10, [FINE] * 9, **sensitive), minutes=9).outcome is Outcome.HEALTHY


def test_early_sickness_may_be_worse():
    assert judged(watched([25.0] * 10, [31.0] * 4, **PATIENT), minutes=4).outcome is Outcome.WORSE


def test_an_alarm_of_three_periods_is_never_judged_early():
    """Three bad periods of 2 of 3 are a verdict, two are not, whatever they agree on."""
    lenient: dict[str, Any] = {"DatapointsToAlarm": 2}

    assert judged(watched([SICK] * 3, [SICK] * 2, **lenient), minutes=2).outcome is Outcome.PENDING
    assert judged(watched([SICK] * 3, [SICK, FINE, SICK], **lenient), minutes=3).outcome is Outcome.SICK


@pytest.mark.parametrize(("periods", "outcome"), [(1, Outcome.HEALTHY), (0, Outcome.PENDING)])
def test_one_long_period_is_enough_for_an_alarm_that_wants_one(periods: int, outcome: Outcome):
    trigger = watched([SICK], [FINE] * periods, Period=300, EvaluationPeriods=1)

    assert judged(trigger, minutes=10).outcome is outcome


@pytest.mark.parametrize(("value", "outcome"), [(FINE, Outcome.HEALTHY), (SICK, Outcome.SICK)])
def test_one_long_period_is_three_minutes_of_evidence(value: float, outcome: Outcome):
    """An alarm of 3 of 3 times five minutes, such as an availability: a quarter of an hour more would be lost."""
    trigger = watched([SICK] * 3, [value], Period=300, EvaluationPeriods=3)

    assert judged(trigger, minutes=10).outcome is outcome


def test_a_guard_still_holds_early_health_back():
    guard = watched([FINE] * 5, [], name="latency")

    assert judged(watched([SICK] * 10, [FINE] * 4, **PATIENT), guard, minutes=4).outcome is Outcome.PENDING
