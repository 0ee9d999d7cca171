"""Reading the shape of PutMetricAlarm: what is understood, and which field is named when it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.domain.alarms import AlarmDefinition, Metric
from selfright.domain.errors import BadInputError
from tests.unit.alarms.builders import definition, math_alarm, metric_query, put_metric_alarm


def test_a_plain_alarm_is_one_query():
    # Given PutMetricAlarm on one metric
    alarm = definition(Dimensions=[{"Name": "FunctionName", "Value": "pay"}], Unit="Count")

    # Then it is read as one query, with M of N and the default treatment of missing data
    assert (alarm.name, alarm.period, alarm.n, alarm.m, alarm.missing) == ("errors", 60, 3, 2, "missing")
    [query] = alarm.queries
    assert query.metric == Metric(
        namespace="Shop", name="Errors", dimensions={"FunctionName": "pay"}, stat="Sum", unit="Count"
    )
    assert (query.id, query.expression, query.return_data, query.period) == (alarm.watched, None, True, 60)


def test_without_datapoints_to_alarm_all_n_must_breach():
    assert definition(DatapointsToAlarm=None).m == 3


def test_what_describe_alarms_adds_is_ignored():
    described = put_metric_alarm(
        AlarmArn="arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors",
        StateValue="OK",
        AlarmActions=[],
        Metrics=[],
    )

    assert AlarmDefinition.parse(described) == definition()


def test_a_math_alarm_watches_the_query_that_returns_data():
    alarm = AlarmDefinition.parse(math_alarm("100 * errors / calls", "errors", "calls"))

    assert [query.id for query in alarm.queries] == ["errors", "calls", "e1"]
    assert (alarm.watched, alarm.period) == ("e1", 60)
    assert alarm.queries[2].expression == "100 * errors / calls"


def test_a_math_alarm_on_dynamodb_ignores_missing_data():
    alarm = math_alarm("throttles", "throttles", TreatMissingData="breaching")
    alarm["Metrics"][0]["MetricStat"]["Metric"]["Namespace"] = "AWS/DynamoDB"

    assert AlarmDefinition.parse(alarm).missing == "ignore"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"AlarmName": None}, "AlarmName"),
        ({"ComparisonOperator": None}, "ComparisonOperator"),
        ({"ComparisonOperator": "Above"}, "ComparisonOperator"),
        ({"EvaluationPeriods": None}, "EvaluationPeriods"),
        ({"EvaluationPeriods": 0}, "EvaluationPeriods"),
        ({"EvaluationPeriods": "3"}, "EvaluationPeriods"),
        ({"EvaluationPeriods": True}, "EvaluationPeriods"),
        ({"EvaluationPeriods": 1441}, "EvaluationPeriods"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "EvaluationPeriods"),
        ({"DatapointsToAlarm": 0}, "DatapointsToAlarm"),
        ({"DatapointsToAlarm": 4}, "DatapointsToAlarm"),
        ({"Threshold": None}, "Threshold"),
        ({"Threshold": "5"}, "Threshold"),
        ({"Threshold": float("nan")}, "Threshold"),
        ({"TreatMissingData": "notbreaching"}, "TreatMissingData"),
        ({"EvaluateLowSampleCountPercentile": "never"}, "EvaluateLowSampleCountPercentile"),
        ({"MetricName": None}, "MetricName"),
        ({"Namespace": None}, "Namespace"),
        ({"Period": None}, "Period"),
        ({"Period": 45}, "Period"),
        ({"Statistic": None}, "Statistic"),
        ({"Statistic": "Mean"}, "Statistic"),
        ({"ExtendedStatistic": "p99"}, "Statistic"),
        ({"Statistic": None, "ExtendedStatistic": "p101"}, "ExtendedStatistic"),
        ({"Dimensions": [{"Name": "FunctionName"}]}, "Dimensions.0.Value"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "ThresholdMetricId"),
        ({"EvaluationWindow": {"WallClockWindow": {"Timezone": "UTC"}}}, "EvaluationWindow"),
        ({"EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}}, "EvaluationCriteria"),
        ({"Metrics": [metric_query("m1")]}, "MetricName"),
    ],
)
def test_a_broken_rule_names_its_field(changes: dict[str, Any], field: str):
    with pytest.raises(BadInputError) as caught:
        definition(**changes)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("metrics", "field", "rule"),
    [
        ([{"Id": "m1"}], "Metrics", "same Period"),
        ([metric_query("m1"), {"Id": "e1"}], "Metrics.1", "exactly one of MetricStat and Expression"),
        ([metric_query("m1"), metric_query("m2", Period=300)], "Metrics", "same Period"),
        ([metric_query("m1"), metric_query("m1")], "Metrics", "used once"),
        ([metric_query("m1")], "Metrics", "exactly one query must have ReturnData true"),
        ([metric_query("M1")], "Metrics.0.Id", "pattern"),
        ([metric_query("m1", Stat="Mean")], "Metrics.0.MetricStat.Stat", "no CloudWatch statistic"),
        ([metric_query(f"m{number}") for number in range(11)], "Metrics", "at most 10 metrics"),
        (
            [metric_query("m1"), *({"Id": f"e{number}", "Expression": "m1"} for number in range(11))],
            "Metrics",
            "at most 10 expressions",
        ),
        ([{"Id": "m1", "MetricStat": {}}], "Metrics.0.MetricStat.Metric", "is required"),
        ("m1", "Metrics", "list"),
    ],
)
def test_a_broken_rule_of_the_queries_names_the_query(metrics: Any, field: str, rule: str):
    alarm = math_alarm("m1") | {"Metrics": metrics}

    with pytest.raises(BadInputError, match=rule) as caught:
        AlarmDefinition.parse(alarm)

    assert caught.value.field == field


def test_a_rule_reads_as_a_sentence():
    with pytest.raises(
        BadInputError, match=r"^TreatMissingData: must be 'missing', 'ignore', 'breaching' or"
    ):
        definition(TreatMissingData="good")
    with pytest.raises(BadInputError, match=r"^AlarmName: must have at least 1 character$"):
        definition(AlarmName="")


def test_something_else_than_an_object_is_refused():
    with pytest.raises(BadInputError, match="alarm: must be an object"):
        AlarmDefinition.parse(["errors"])  # type: ignore[arg-type]
