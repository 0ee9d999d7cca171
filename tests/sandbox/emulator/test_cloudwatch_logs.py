"""Log lines become metrics, and are found, by CloudWatch Logs' own pattern syntax."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.emulator.cloudwatch_log_patterns import Pattern, PatternError
from sandbox.server import Server
from tests.sandbox.emulator.alarms import unique

LINE = json.dumps(
    {"level": "ERROR", "ms": 31, "user": {"name": "ada", "admin": True}, "tags": ["a", "b"], "gone": None}
)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "anything"),
        ("ERROR", "an ERROR here"),
        ("ERROR timeout", "timeout after ERROR"),
        ('"Task timed out"', "2026 Task timed out after 3.00 seconds"),
        ("?ERROR ?WARN", "a WARN"),
        ("ERROR -expected", "ERROR of another kind"),
        ("%ERR(OR)?%", "ERR 7"),
        ('{ $.level = "ERROR" }', LINE),
        ('{ $.level = "ERR*" }', LINE),
        ("{ $.level = ERROR && $.ms > 30 }", LINE),
        ('{ $.level = "WARN" || ($.ms >= 31 && $.ms <= 31) }', LINE),
        ('{ $.user.name != "bob" }', LINE),
        ('{ $.tags[1] = "b" }', LINE),
        ("{ $['user'].admin IS TRUE }", LINE),
        ("{ $.gone IS NULL }", LINE),
        ("{ $.nowhere NOT EXISTS }", LINE),
    ],
)
def test_a_pattern_matches(pattern: str, message: str):
    assert Pattern(pattern).match(message) is not None


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("ERROR", "an error here"),
        ("ERROR timeout", "ERROR only"),
        ('"timed out Task"', "Task timed out"),
        ("?ERROR ?WARN", "INFO"),
        ("ERROR -expected", "ERROR as expected"),
        ("{ $.level = ERROR }", "ERROR"),
        ("{ $.ms > 31 }", LINE),
        ('{ $.level = "ERROR" && $.ms < 31 }', LINE),
        ('{ $.nowhere = "x" }', LINE),
        ('{ $.nowhere != "x" }', LINE),
        ('{ $.level = "E?ROR" }', LINE),
        ("{ $.level NOT EXISTS }", LINE),
    ],
)
def test_a_pattern_does_not_match(pattern: str, message: str):
    assert Pattern(pattern).match(message) is None


@pytest.mark.parametrize(
    "pattern",
    ["[ip, user]", "{ $.a = ", "{ $.a > x }", "{ a = 1 }", "{ ($.a = 1 }", "{ $.a IS SICK }", "%(%"],
)
def test_what_is_no_pattern_is_refused(pattern: str):
    with pytest.raises(PatternError):
        Pattern(pattern)


def put_lines(aws: Server, group: str, *lines: str) -> None:
    logs, stream = aws.client("logs"), unique("stream")
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": int(aws.now() * 1000), "message": line} for line in lines]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def new_group(aws: Server) -> str:
    group = unique("group")
    aws.client("logs").create_log_group(logGroupName=group)
    return group


def recorded(
    aws: Server, namespace: str, name: str, dimensions: dict[str, str], stat: str = "Sum"
) -> list[float]:
    source = {
        "Metric": {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        },
        "Period": 3600,
        "Stat": stat,
    }
    now = aws.now()
    found: list[float] = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": source}],
        StartTime=datetime.fromtimestamp(now - 7200, UTC),
        EndTime=datetime.fromtimestamp(now + 7200, UTC),
    )["MetricDataResults"][0]["Values"]
    return found


def embedded(namespace: str, **fields: Any) -> str:
    metrics = [{"Name": "Latency", "Unit": "Milliseconds"}, {"Name": "Calls"}]
    directive = {"Namespace": namespace, "Dimensions": [["Service"], []], "Metrics": metrics}
    return json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]}, **fields})


def test_embedded_metrics_are_recorded_under_each_dimension_set_now(aws: Server):
    group, namespace = new_group(aws), unique("ns")
    put_lines(aws, group, embedded(namespace, Service="shop", Latency=[10, 30], Calls=2))
    # Then arrays are several datapoints, and the line's own Timestamp of 1970 is not taken
    assert recorded(aws, namespace, "Latency", {"Service": "shop"}) == [40.0]
    assert recorded(aws, namespace, "Latency", {"Service": "shop"}, "SampleCount") == [2.0]
    assert recorded(aws, namespace, "Calls", {}) == [2.0]


def test_an_embedded_line_without_its_dimension_or_with_text_for_a_value_records_nothing(aws: Server):
    group, namespace = new_group(aws), unique("ns")
    put_lines(aws, group, embedded(namespace, Latency="slow", Calls=2), '{"_aws": {"cut')
    assert recorded(aws, namespace, "Calls", {"Service": "shop"}) == []
    assert recorded(aws, namespace, "Latency", {}) == []
    assert recorded(aws, namespace, "Calls", {}) == [2.0]


def test_a_metric_filter_takes_its_value_and_dimensions_from_the_line(aws: Server):
    group, namespace = new_group(aws), unique("ns")
    aws.client("logs").put_metric_filter(
        logGroupName=group,
        filterName="slow",
        filterPattern="{ $.ms > 10 }",
        metricTransformations=[
            {
                "metricNamespace": namespace,
                "metricName": "Slow",
                "metricValue": "$.ms",
                "dimensions": {"Shop": "$.shop"},
            }
        ],
    )
    put_lines(
        aws, group, '{"ms": 30, "shop": "a"}', '{"ms": 5, "shop": "a"}', '{"ms": 12, "shop": "a"}', "text"
    )
    assert recorded(aws, namespace, "Slow", {"Shop": "a"}) == [42.0]
    assert recorded(aws, namespace, "Slow", {"Shop": "a"}, "SampleCount") == [2.0]


def test_a_metric_filter_counts_in_its_own_group_and_gives_its_default(aws: Server):
    watched, other, namespace = new_group(aws), new_group(aws), unique("ns")
    aws.client("logs").put_metric_filter(
        logGroupName=watched,
        filterName="errors",
        filterPattern="ERROR",
        metricTransformations=[
            {"metricNamespace": namespace, "metricName": "Errors", "metricValue": "1", "defaultValue": 0}
        ],
    )
    put_lines(aws, other, "ERROR")
    assert recorded(aws, namespace, "Errors", {}) == []
    put_lines(aws, watched, "all is well")
    assert recorded(aws, namespace, "Errors", {}) == [0.0]
    put_lines(aws, watched, "an ERROR", "another ERROR")
    assert recorded(aws, namespace, "Errors", {}) == [2.0]


def test_bad_patterns_are_refused(aws: Server):
    logs, group = aws.client("logs"), new_group(aws)
    transformation = {"metricNamespace": "n", "metricName": "m", "metricValue": "1"}
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.put_metric_filter(
            logGroupName=group,
            filterName="bad",
            filterPattern="{ $.a = ",
            metricTransformations=[transformation],
        )
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.filter_log_events(logGroupName=group, filterPattern="{ $.a = ")


def test_lines_are_found_by_json_patterns(aws: Server):
    group = new_group(aws)
    put_lines(aws, group, '{"ms": 30}', '{"ms": 5}', "text")
    events = aws.client("logs").filter_log_events(logGroupName=group, filterPattern="{ $.ms > 10 }")["events"]
    assert [event["message"] for event in events] == ['{"ms": 30}']
