"""Datapoints in sandbox time, and GetMetricData with metric math, order and paging."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.server import Server
from tests.sandbox.emulator.alarms import NAMESPACE, unique


def moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def full_hour(aws: Server) -> datetime:
    """The start of the hour before the present one."""
    return moment(aws.now()).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)


def put(aws: Server, metric: str, *data: dict[str, Any]) -> None:
    aws.client("cloudwatch").put_metric_data(
        Namespace=NAMESPACE, MetricData=[{"MetricName": metric, **each} for each in data]
    )


def metric(name: str, metric_name: str, stat: str = "Sum", **more: Any) -> dict[str, Any]:
    source = {"Metric": {"Namespace": NAMESPACE, "MetricName": metric_name}, "Period": 60, "Stat": stat}
    return {"Id": name, "MetricStat": source, **more}


def asked(aws: Server, queries: list[dict[str, Any]], start: datetime, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=start, EndTime=start + timedelta(hours=1), **more
    )
    return answer


def values(answer: dict[str, Any]) -> dict[str, list[float]]:
    return {row["Id"]: row["Values"] for row in answer["MetricDataResults"]}


def test_a_datapoint_without_a_time_is_stamped_with_the_sandboxs(aws: Server):
    name = unique("m")
    before = aws.now()
    put(aws, name, {"Value": 1})
    found = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[metric("m", name)],
        StartTime=moment(before - 60),
        EndTime=moment(aws.now() + 60),
    )
    stamped = found["MetricDataResults"][0]["Timestamps"][0].timestamp()
    assert before - 60 < stamped <= aws.now()


def test_log_events_are_ingested_in_sandbox_time(aws: Server):
    logs, group = aws.client("logs"), unique("group")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    before = int(aws.now() * 1000)
    # Given a line with a time of its own
    logs.put_log_events(
        logGroupName=group, logStreamName="s", logEvents=[{"timestamp": 12345, "message": "hello"}]
    )
    event = logs.get_log_events(logGroupName=group, logStreamName="s")["events"][0]
    # Then the line keeps it, and its ingestion is dated by the sandbox
    assert event["timestamp"] == 12345
    assert before <= event["ingestionTime"] <= int(aws.now() * 1000)


def test_late_datapoints_are_found_in_their_place(aws: Server):
    name, start = unique("m"), full_hour(aws)
    for minute in (3, 1, 2):
        put(aws, name, {"Value": minute, "Timestamp": start + timedelta(minutes=minute)})
    answer = asked(aws, [metric("m", name)], start, ScanBy="TimestampAscending")
    assert values(answer)["m"] == [1.0, 2.0, 3.0]


def test_statistics_percentiles_and_sample_counts(aws: Server):
    name, start = unique("m"), full_hour(aws)
    put(aws, name, {"Values": [1.0, 2.0, 3.0, 4.0], "Counts": [1, 1, 1, 1], "Timestamp": start})
    queries = [
        metric(stat.lower(), name, stat) for stat in ("Sum", "Average", "Maximum", "p50", "SampleCount")
    ]
    assert values(asked(aws, queries, start)) == {
        "sum": [10.0],
        "average": [2.5],
        "maximum": [4.0],
        "p50": [2.5],
        "samplecount": [4.0],
    }


def test_metric_math_is_computed_and_its_inputs_stay_hidden(aws: Server):
    errors, calls, start = unique("e"), unique("c"), full_hour(aws)
    for minute, failed in enumerate((1.0, 2.0)):
        at = start + timedelta(minutes=minute)
        put(aws, errors, {"Value": failed, "Timestamp": at})
        put(aws, calls, {"Value": 4.0, "Timestamp": at})
    rate = {"Id": "rate", "Expression": "100 * errors / calls", "Label": "Error rate"}
    hidden = [metric("errors", errors, ReturnData=False), metric("calls", calls, ReturnData=False)]
    answer = asked(aws, [rate, *hidden], start)
    assert values(answer) == {"rate": [50.0, 25.0]}  # newest first, as AWS does unasked
    assert answer["MetricDataResults"][0]["Label"] == "Error rate"


def test_fill_fills_the_periods_of_the_request(aws: Server):
    name, start = unique("m"), full_hour(aws)
    put(aws, name, {"Value": 7.0, "Timestamp": start + timedelta(minutes=1)})
    answer = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "e", "Expression": "FILL(m, 0)"}, metric("m", name, ReturnData=False)],
        StartTime=start,
        EndTime=start + timedelta(minutes=3),
        ScanBy="TimestampAscending",
    )
    assert values(answer) == {"e": [0.0, 7.0, 0.0]}


def test_pages_are_cut_at_max_datapoints(aws: Server):
    one, two, start = unique("m"), unique("m"), full_hour(aws)
    for minute in range(3):
        at = start + timedelta(minutes=minute)
        put(aws, one, {"Value": minute, "Timestamp": at})
        put(aws, two, {"Value": 10 + minute, "Timestamp": at})
    queries = [metric("one", one), metric("two", two)]
    first = asked(aws, queries, start, ScanBy="TimestampAscending", MaxDatapoints=4)
    second = asked(
        aws, queries, start, ScanBy="TimestampAscending", MaxDatapoints=4, NextToken=first["NextToken"]
    )
    assert values(first) == {"one": [0.0, 1.0, 2.0], "two": [10.0]}
    assert [row["StatusCode"] for row in first["MetricDataResults"]] == ["Complete", "PartialData"]
    assert values(second) == {"one": [], "two": [11.0, 12.0]}
    assert "NextToken" not in second


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"Id": "e", "Expression": "nowhere + 1"}, "nowhere"),
        ({"Id": "e", "Expression": "SEARCH('x', 'Sum')"}, "SEARCH"),
        (metric("m", "m", "tm90"), "tm90"),
    ],
)
def test_what_the_sandbox_cannot_compute_is_refused(aws: Server, query: dict[str, Any], named: str):
    with pytest.raises(ClientError) as refused:
        asked(aws, [query], full_hour(aws))
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert named in refused.value.response["Error"]["Message"]


def test_statistics_are_of_the_dimensions_asked_for(aws: Server):
    name, start = unique("m"), full_hour(aws)
    put(
        aws,
        name,
        {"Value": 1.0, "Timestamp": start, "Unit": "Count"},
        {"Value": 20.0, "Timestamp": start, "Dimensions": [{"Name": "Shop", "Value": "a"}]},
    )
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=name,
        StartTime=start,
        EndTime=start + timedelta(hours=1),
        Period=3600,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert found == [{"Timestamp": start, "Sum": 1.0, "SampleCount": 1.0, "Unit": "Count"}]
