"""How an alarm stands, who mutes it, and the numbers it watches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selfright.adapters.alarms import CloudWatchAlarms
from selfright.domain.alarms import State
from selfright.domain.errors import NotFoundError, SourceDownError
from selfright.domain.signal import Signal
from tests.unit.adapters.conftest import Stubbed

WENT_OFF = datetime(2026, 11, 23, 10, 2, tzinfo=UTC)
METRIC_ALARM: dict[str, Any] = {
    "AlarmName": "throttled",
    "AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:throttled",
    "ActionsEnabled": True,
    "StateValue": "ALARM",
    "StateUpdatedTimestamp": WENT_OFF + timedelta(minutes=3),
    "StateTransitionedTimestamp": WENT_OFF,
    "MetricName": "WriteThrottleEvents",
    "Namespace": "AWS/DynamoDB",
    "Statistic": "Sum",
    "Dimensions": [{"Name": "TableName", "Value": "orders"}],
    "Period": 300,
    "EvaluationPeriods": 3,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


def described(stubbed: Stubbed, *metric: dict[str, Any], composite: tuple[dict[str, Any], ...] = ()) -> None:
    stubbed.answer(
        "cloudwatch",
        "describe_alarms",
        {"MetricAlarms": list(metric), "CompositeAlarms": list(composite)},
        AlarmNames=["throttled"],
        AlarmTypes=["MetricAlarm", "CompositeAlarm"],
    )


def mute_rules(stubbed: Stubbed, *names: str, after: str | None = None, more: str | None = None) -> None:
    arns = [f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm-mute-rule:{name}" for name in names]
    answer: dict[str, Any] = {"AlarmMuteRuleSummaries": [{"AlarmMuteRuleArn": arn} for arn in arns]}
    asked: dict[str, Any] = {"AlarmName": "throttled", "Statuses": ["ACTIVE"]}
    stubbed.answer(
        "cloudwatch",
        "list_alarm_mute_rules",
        answer | ({"NextToken": more} if more else {}),
        **(asked | ({"NextToken": after} if after else {})),
    )


def test_an_alarm_has_been_in_its_state_since_it_entered_it(stubbed: Stubbed):
    """StateUpdatedTimestamp moves too when only the reason changes."""
    described(stubbed, METRIC_ALARM)
    mute_rules(stubbed)

    now = CloudWatchAlarms(stubbed.aws).now("throttled")

    assert (now.state, now.since) == (State.ALARM, WENT_OFF)
    assert (now.actions_enabled, now.muted_by, now.suppressed_by) == (True, None, None)


def test_an_active_mute_rule_mutes_wherever_it_stands_in_the_list(stubbed: Stubbed):
    described(stubbed, METRIC_ALARM | {"ActionsEnabled": False})
    mute_rules(stubbed, more="page-2")
    mute_rules(stubbed, "nightly", after="page-2")

    now = CloudWatchAlarms(stubbed.aws).now("throttled")

    assert (now.muted_by, now.actions_enabled) == ("nightly", False)


def test_a_composite_alarm_tells_its_suppressor(stubbed: Stubbed):
    composite = {
        "AlarmName": "throttled",
        "StateValue": "ALARM",
        "StateUpdatedTimestamp": WENT_OFF,
        "StateTransitionedTimestamp": WENT_OFF,
        "ActionsSuppressedBy": "WaitPeriod",
        "AlarmRule": "ALARM(a) OR ALARM(b)",
    }
    described(stubbed, composite=(composite,))
    mute_rules(stubbed)

    now = CloudWatchAlarms(stubbed.aws).now("throttled")

    assert now.suppressed_by == "WaitPeriod"
    assert now.unjudgeable == "a composite alarm has no numbers of its own"


BAND = {
    "ComparisonOperator": "GreaterThanUpperThreshold",
    "ThresholdMetricId": "band",
    "Threshold": None,
    "Metrics": [
        {
            "Id": "m",
            "MetricStat": {
                "Metric": {"Namespace": "Shop", "MetricName": "Load"},
                "Period": 60,
                "Stat": "Sum",
            },
        },
        {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m, 2)"},
    ],
}
BY_FUNCTION = 'SELECT SUM(Errors) FROM "AWS/Lambda" group by FunctionName'


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        (BAND, "band of anomaly detection"),
        ({"Metrics": [{"Id": "q", "Expression": BY_FUNCTION, "Period": 60}]}, "many series"),
        ({"ComparisonOperator": "Resembles"}, "not known here: ComparisonOperator"),
    ],
)
def test_an_alarm_whose_rule_could_not_prove_a_fix_says_why(
    stubbed: Stubbed, changes: dict[str, Any], why: str | None
):
    single = ("MetricName", "Namespace", "Statistic", "Dimensions", "Period") if "Metrics" in changes else ()
    alarm = {k: v for k, v in (METRIC_ALARM | changes).items() if v is not None and k not in single}
    described(stubbed, alarm)
    mute_rules(stubbed)

    unjudgeable = CloudWatchAlarms(stubbed.aws).now("throttled").unjudgeable

    assert unjudgeable is None if why is None else why in str(unjudgeable)


def test_an_alarm_that_is_gone_is_said_to_be_missing(stubbed: Stubbed):
    described(stubbed)

    with pytest.raises(NotFoundError, match="alarm throttled does not exist"):
        CloudWatchAlarms(stubbed.aws).now("throttled")


def test_mute_rules_that_cannot_be_read_are_no_licence(stubbed: Stubbed):
    described(stubbed, METRIC_ALARM)
    stubbed.refuse("cloudwatch", "list_alarm_mute_rules", "InternalServiceFault")

    with pytest.raises(SourceDownError, match="mute rules of alarm throttled"):
        CloudWatchAlarms(stubbed.aws).now("throttled")


def metric_data(stubbed: Stubbed, *results: dict[str, Any], **expected: Any) -> None:
    answer = [{"Label": "throttled writes", "StatusCode": "Complete", **result} for result in results]
    stubbed.answer("cloudwatch", "get_metric_data", {"MetricDataResults": answer}, **expected)


def test_the_numbers_lie_on_the_periods_that_the_alarm_looks_at(stubbed: Stubbed):
    """CloudWatch counts periods from StartTime on: 10:02 would give 10:02 to 10:07."""
    described(stubbed, METRIC_ALARM | {"Unit": "Count"})
    asked = {
        "Id": "m1",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/DynamoDB",
                "MetricName": "WriteThrottleEvents",
                "Dimensions": [{"Name": "TableName", "Value": "orders"}],
            },
            "Period": 300,
            "Stat": "Sum",
            "Unit": "Count",
        },
    }
    end = WENT_OFF + timedelta(minutes=20)
    metric_data(
        stubbed,
        {"Id": "m1", "Timestamps": [WENT_OFF.replace(minute=5)], "Values": [7.0]},
        MetricDataQueries=[asked],
        StartTime=WENT_OFF.replace(minute=0),
        EndTime=end,
    )

    watched = CloudWatchAlarms(stubbed.aws).watch("throttled", WENT_OFF, end)

    assert watched.metric == "throttled writes"
    assert [p.value for p in watched.whole_periods(WENT_OFF, end)] == [7.0, None, None]
    assert watched.definition.threshold == 5.0


def anomaly_alarm() -> dict[str, Any]:
    plain = {k: v for k, v in METRIC_ALARM.items() if k not in {"Threshold", "Period", "Statistic"}}
    for key in ("MetricName", "Namespace", "Dimensions"):
        plain.pop(key)
    metric = {"Namespace": "AWS/Lambda", "MetricName": "Duration", "Dimensions": []}
    return plain | {
        "ComparisonOperator": "GreaterThanUpperThreshold",
        "ThresholdMetricId": "band",
        "Metrics": [
            {
                "Id": "d",
                "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"},
                "ReturnData": True,
            },
            {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(d, 2)", "ReturnData": True},
        ],
    }


def test_of_several_series_only_the_watched_one_counts(stubbed: Stubbed):
    described(stubbed, anomaly_alarm())
    at = WENT_OFF
    metric_data(
        stubbed,
        {"Id": "d", "Timestamps": [at], "Values": [3.0]},
        {"Id": "band", "Timestamps": [at, at], "Values": [1.0, 9.0]},
    )

    watched = CloudWatchAlarms(stubbed.aws).watch("throttled", at, at + timedelta(minutes=1))

    assert watched.points == {at.timestamp(): 3.0}


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_a_series_that_is_not_whole_is_a_source_that_is_down(stubbed: Stubbed, status: str):
    described(stubbed, METRIC_ALARM)
    metric_data(stubbed, {"Id": "m1", "Timestamps": [], "Values": [], "StatusCode": status})

    with pytest.raises(SourceDownError, match=f"m1 is {status}"):
        CloudWatchAlarms(stubbed.aws).watch("throttled", WENT_OFF, WENT_OFF + timedelta(minutes=5))


def test_later_pages_belong_to_the_series(stubbed: Stubbed):
    described(stubbed, METRIC_ALARM)
    first = {"Id": "m1", "StatusCode": "PartialData", "Timestamps": [WENT_OFF], "Values": [1.0]}
    stubbed.answer("cloudwatch", "get_metric_data", {"MetricDataResults": [first], "NextToken": "more"})
    later = WENT_OFF + timedelta(minutes=5)
    metric_data(stubbed, {"Id": "m1", "Timestamps": [later], "Values": [2.0]})

    watched = CloudWatchAlarms(stubbed.aws).watch("throttled", WENT_OFF, later)

    assert watched.points == {WENT_OFF.timestamp(): 1.0, later.timestamp(): 2.0}


def test_alarms_that_are_on_tell_what_they_told_when_they_went_off(stubbed: Stubbed):
    composite = {**METRIC_ALARM, "AlarmName": "down", "AlarmArn": METRIC_ALARM["AlarmArn"][:-9] + "down"}
    asked: dict[str, Any] = {
        "AlarmNames": ["throttled", "down"],
        "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
        "StateValue": "ALARM",
    }
    first = {"MetricAlarms": [{**METRIC_ALARM, "StateReason": "41 is too much"}], "NextToken": "more"}
    rest = {"CompositeAlarms": [{k: composite[k] for k in ("AlarmName", "AlarmArn", "StateValue")}]}
    rest["CompositeAlarms"][0]["StateTransitionedTimestamp"] = WENT_OFF
    stubbed.answer("cloudwatch", "describe_alarms", first, **asked)
    stubbed.answer("cloudwatch", "describe_alarms", rest, **asked, NextToken="more")

    throttled, down = CloudWatchAlarms(stubbed.aws).alarming(["throttled", "down"])

    assert throttled == Signal(
        account="123456789012",
        region="eu-central-1",
        name="throttled",
        subject=METRIC_ALARM["AlarmArn"],
        state=State.ALARM,
        at=WENT_OFF,
        reason="41 is too much",
    )
    assert (down.name, down.at) == ("down", WENT_OFF)


def test_alarms_are_asked_for_a_hundred_at_a_time(stubbed: Stubbed):
    names = [f"alarm-{n}" for n in range(101)]
    for asked in (names[:100], names[100:]):
        stubbed.answer(
            "cloudwatch",
            "describe_alarms",
            {},
            AlarmNames=asked,
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            StateValue="ALARM",
        )

    assert CloudWatchAlarms(stubbed.aws).alarming(names) == []


def test_without_names_nothing_is_asked(stubbed: Stubbed):
    assert CloudWatchAlarms(stubbed.aws).alarming([]) == []  # DescribeAlarms would answer with every alarm
