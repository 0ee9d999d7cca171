"""Alarms are evaluated by CloudWatch's rules, on its schedule, in sandbox time."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from botocore.exceptions import ClientError

from sandbox.server import Server
from tests.sandbox.emulator.alarms import (
    MINUTE,
    NAMESPACE,
    described,
    in_state,
    put_alarm,
    put_series,
    unique,
)
from tests.sandbox.emulator.lambda_functions import eventually


def test_an_alarm_looks_at_its_own_dimensions_only(fast_aws: Server):
    # Given a metric that breaches under one dimension and not under another
    metric = unique("m")
    put_series(fast_aws, metric, [5.0], dimensions={"Shop": "sick"})
    put_series(fast_aws, metric, [0.0], dimensions={"Shop": "well"})
    sick = put_alarm(fast_aws, metric, Dimensions=[{"Name": "Shop", "Value": "sick"}])
    well = put_alarm(fast_aws, metric, Dimensions=[{"Name": "Shop", "Value": "well"}])
    none = put_alarm(fast_aws, metric)
    # Then each alarm goes by its own datapoints, and without dimensions there are none
    in_state(fast_aws, sick, "ALARM")
    in_state(fast_aws, well, "OK")
    assert described(fast_aws, none)["StateValue"] == "INSUFFICIENT_DATA"


def test_the_state_says_why_and_since_when(fast_aws: Server):
    metric = unique("m")
    put_series(fast_aws, metric, [5.0])
    before = fast_aws.now()
    alarm = in_state(fast_aws, put_alarm(fast_aws, metric), "ALARM")
    data = json.loads(alarm["StateReasonData"])
    assert alarm["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [5.0 (")
    assert data["recentDatapoints"] == [5.0]
    assert data["threshold"] == 0.0
    assert data["period"] == MINUTE
    assert data["statistic"] == "Sum"
    assert data["evaluatedDatapoints"][0]["value"] == 5.0
    assert before < alarm["StateUpdatedTimestamp"].timestamp() < fast_aws.now()
    assert alarm["StateTransitionedTimestamp"] == alarm["StateUpdatedTimestamp"]
    # and the datapoint's minute was over when the alarm changed
    queried = datetime.strptime(data["queryDate"], "%Y-%m-%dT%H:%M:%S.%f%z")
    started = datetime.strptime(data["startDate"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert (queried - started).total_seconds() >= MINUTE


def test_the_history_has_the_change_and_no_made_up_one(fast_aws: Server):
    metric = unique("m")
    put_series(fast_aws, metric, [5.0])
    name = put_alarm(fast_aws, metric)
    in_state(fast_aws, name, "ALARM")
    items = fast_aws.client("cloudwatch").describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == ["Alarm updated from INSUFFICIENT_DATA to ALARM"]
    assert json.loads(items[0]["HistoryData"])["newState"]["stateReasonData"]["recentDatapoints"] == [5.0]


def test_m_of_n_datapoints(fast_aws: Server):
    # Given two breaching minutes of every three
    metric = unique("m")
    put_series(fast_aws, metric, [1.0, 1.0, 0.0])
    two_of_three = put_alarm(fast_aws, metric, EvaluationPeriods=3, DatapointsToAlarm=2)
    three_of_three = put_alarm(fast_aws, metric, EvaluationPeriods=3)
    # Then two of three are enough for one alarm and not for the other
    in_state(fast_aws, two_of_three, "ALARM")
    in_state(fast_aws, three_of_three, "OK")


def test_an_alarm_returns_to_ok_when_data_is_good_again(fast_aws: Server):
    # Given an alarm on datapoints without a timestamp, which CloudWatch stamps itself
    cloudwatch, metric = fast_aws.client("cloudwatch"), unique("m")
    name = put_alarm(fast_aws, metric, TreatMissingData="notBreaching")
    cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[{"MetricName": metric, "Value": 3}])
    in_state(fast_aws, name, "ALARM")
    # When nothing breaches any more, then it is OK again
    in_state(fast_aws, name, "OK")


@pytest.mark.parametrize(
    ("treatment", "state"), [("breaching", "ALARM"), ("notBreaching", "OK"), ("missing", "INSUFFICIENT_DATA")]
)
def test_missing_data(fast_aws: Server, treatment: str, state: str):
    name = put_alarm(fast_aws, unique("m"), TreatMissingData=treatment)
    in_state(fast_aws, name, state)


def test_a_ten_second_alarm_does_not_wait_for_the_minute(fast_aws: Server):
    cloudwatch, metric = fast_aws.client("cloudwatch"), unique("m")
    name = put_alarm(fast_aws, metric, Period=10, TreatMissingData="notBreaching")
    in_state(fast_aws, name, "OK")
    at = fast_aws.now()
    cloudwatch.put_metric_data(
        Namespace=NAMESPACE, MetricData=[{"MetricName": metric, "Value": 3, "StorageResolution": 1}]
    )
    # Then the history shows the alarm, though it lasted but a few periods
    eventually(
        lambda: cloudwatch.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"],
        lambda items: any("to ALARM" in item["HistorySummary"] for item in items),
    )
    items = cloudwatch.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
    alarmed = next(item for item in items if "to ALARM" in item["HistorySummary"])
    assert alarmed["Timestamp"].timestamp() - at < MINUTE


def test_a_metric_math_alarm_is_kept_and_evaluated(fast_aws: Server):
    # Given 3 errors in 20 calls a minute, and an alarm on more than 10 %
    errors, calls = unique("errors"), unique("calls")
    put_series(fast_aws, errors, [3.0])
    put_series(fast_aws, calls, [20.0])

    def stat(name: str, metric: str) -> dict[str, object]:
        source = {"Metric": {"Namespace": NAMESPACE, "MetricName": metric}, "Period": 60, "Stat": "Sum"}
        return {"Id": name, "MetricStat": source, "ReturnData": False}

    rate = {"Id": "rate", "Expression": "IF(calls > 10, 100 * errors / calls)", "Label": "Error rate"}
    metrics = [rate, stat("errors", errors), stat("calls", calls)]
    name = put_alarm(fast_aws, "", Threshold=10, Metrics=metrics)
    # Then it goes off at 15 %, and is described as it was given
    alarm = in_state(fast_aws, name, "ALARM")
    assert json.loads(alarm["StateReasonData"])["recentDatapoints"] == [15.0]
    assert [query["Id"] for query in alarm["Metrics"]] == ["rate", "errors", "calls"]
    assert "MetricName" not in alarm
    assert "Period" not in alarm


def test_a_percentile_alarm_keeps_its_statistic(fast_aws: Server):
    metric = unique("m")
    put_series(fast_aws, metric, [7.0])
    settings = {"ExtendedStatistic": "p95", "Statistic": None, "EvaluateLowSampleCountPercentile": "evaluate"}
    given = {key: value for key, value in settings.items() if value}
    name = unique("alarm")
    fast_aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace=NAMESPACE,
        MetricName=metric,
        Period=60,
        EvaluationPeriods=1,
        Threshold=6,
        ComparisonOperator="GreaterThanThreshold",
        **given,
    )
    alarm = in_state(fast_aws, name, "ALARM")
    assert alarm["ExtendedStatistic"] == "p95"
    assert "Statistic" not in alarm


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"Period": 45}, "Period"),
        ({"EvaluationPeriods": 1, "DatapointsToAlarm": 2}, "DatapointsToAlarm"),
        ({"Metrics": [{"Id": "e", "Expression": "1 +", "Period": 60}]}, "Expression"),
        ({"Statistic": "Sum", "ExtendedStatistic": "p99"}, "Statistic"),
    ],
)
def test_a_definition_that_cloudwatch_refuses_is_refused(
    fast_aws: Server, settings: dict[str, object], named: str
):
    with pytest.raises(ClientError) as refused:
        put_alarm(fast_aws, "m", **settings)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert named in refused.value.response["Error"]["Message"]


def test_an_update_keeps_the_state_and_its_reason(fast_aws: Server):
    metric = unique("m")
    put_series(fast_aws, metric, [5.0])
    name = put_alarm(fast_aws, metric)
    before = in_state(fast_aws, name, "ALARM")
    fast_aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace=NAMESPACE,
        MetricName=metric,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    after = described(fast_aws, name)
    assert after["Threshold"] == 1.0
    assert after["StateValue"] == "ALARM"
    assert after["StateReasonData"] == before["StateReasonData"]
    assert after["StateTransitionedTimestamp"] == before["StateTransitionedTimestamp"]
