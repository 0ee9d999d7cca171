"""AWS/Lambda metrics: once per invocation, on every path, under each of AWS's dimension sets."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sandbox.emulator.lambda_metrics import dimension_sets
from sandbox.server import Server
from tests.sandbox.emulator.lambda_functions import (
    arn,
    call,
    create,
    eventually,
    metric,
    publish,
    queue,
    rule,
)

CODE = "def handler(event, context):\n    if event.get('fail'): raise ValueError('no')\n"


def by_invoke(aws: Server, target: str) -> None:
    call(aws, target)


def by_async_invoke(aws: Server, target: str) -> None:
    call(aws, target, InvocationType="Event")


def by_event(aws: Server, target: str) -> None:
    rule(aws, {"Arn": target})({})


def by_queue(aws: Server, target: str) -> None:
    url, queue_arn = queue(aws)
    aws.client("lambda").create_event_source_mapping(EventSourceArn=queue_arn, FunctionName=target)
    aws.client("sqs").send_message(QueueUrl=url, MessageBody="{}")


def by_topic(aws: Server, target: str) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name=target.split(":")[6])["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=target)
    sns.publish(TopicArn=topic, Message="{}")


@pytest.mark.parametrize("path", [by_invoke, by_async_invoke, by_event, by_queue, by_topic])
def test_an_invocation_counts_once_in_each_dimension_set(aws: Server, path: Callable[[Server, str], None]):
    # Given a function with an alias
    name = create(aws, CODE)
    version = publish(aws, name, CODE)
    aws.client("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    # When the alias is invoked once on this path
    path(aws, f"{arn(name)}:live")
    # Then each set of dimensions has one invocation, no error and a duration
    sets = [{"FunctionName": name}, {"FunctionName": name, "Resource": f"{name}:live"}]
    sets.append({**sets[1], "ExecutedVersion": version})
    eventually(lambda: metric(aws, "Duration", sets[2], "SampleCount"), lambda count: count > 0)
    for dimensions in sets:
        assert metric(aws, "Invocations", dimensions) == 1
        assert metric(aws, "Errors", dimensions, "SampleCount") == 1
        assert metric(aws, "Errors", dimensions) == 0
        assert metric(aws, "Throttles", dimensions) == 0
        assert 0 < metric(aws, "Duration", dimensions) < 5000
        assert metric(aws, "ConcurrentExecutions", dimensions, "Maximum") == 1
    assert metric(aws, "Invocations", {"FunctionName": name, "Resource": name}) == 0


def test_an_error_counts_and_the_bare_function_is_its_own_resource(aws: Server):
    name = create(aws, CODE)

    call(aws, name, {"fail": True})
    call(aws, name)

    for dimensions in ({"FunctionName": name}, {"FunctionName": name, "Resource": name}):
        assert metric(aws, "Errors", dimensions) == 1
        assert metric(aws, "Invocations", dimensions) == 2
    names = aws.client("cloudwatch").list_metrics(
        Namespace="AWS/Lambda", Dimensions=[{"Name": "FunctionName", "Value": name}]
    )
    assert not any(d["Name"] == "ExecutedVersion" for m in names["Metrics"] for d in m["Dimensions"])


def test_the_region_has_a_total_without_dimensions(aws: Server):
    call(aws, create(aws, CODE))

    listed = aws.client("cloudwatch").list_metrics(Namespace="AWS/Lambda", MetricName="Invocations")
    assert [] in [found["Dimensions"] for found in listed["Metrics"]]


@pytest.mark.parametrize(
    ("qualifier", "version", "expected"),
    [
        ("", "$LATEST", [{}, {"FunctionName": "f"}, {"FunctionName": "f", "Resource": "f"}]),
        (":7", "7", [{}, {"FunctionName": "f"}, {"FunctionName": "f", "Resource": "f:7"}]),
        (":live", "7", [{}, {"FunctionName": "f"}, {"FunctionName": "f", "Resource": "f:live"}, {"FunctionName": "f", "Resource": "f:live", "ExecutedVersion": "7"}]),
    ],
)  # fmt: skip
def test_the_dimension_sets_follow_what_was_invoked(
    qualifier: str, version: str, expected: list[dict[str, str]]
):
    config = {"FunctionName": "f", "Version": version, "FunctionArn": f"{arn('f')}{qualifier}"}

    assert dimension_sets(config) == expected


def test_the_duration_is_that_of_the_handler_not_of_the_cold_start(aws: Server):
    slow_start = "import time\ntime.sleep(0.4)\ndef handler(event, context): time.sleep(0.1)"
    name = create(aws, slow_start)

    call(aws, name)

    assert 100 <= metric(aws, "Duration", {"FunctionName": name}) < 300


def test_a_batch_is_one_invocation(aws: Server):
    name, (url, queue_arn) = create(aws, CODE), queue(aws)
    aws.client("sqs").send_message_batch(
        QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": json.dumps(n)} for n in range(5)]
    )

    aws.client("lambda").create_event_source_mapping(EventSourceArn=queue_arn, FunctionName=name)

    eventually(lambda: metric(aws, "Invocations", {"FunctionName": name}), lambda count: count > 0)
    assert metric(aws, "Invocations", {"FunctionName": name}) == 1
