"""Alarms, datapoints and the events of alarms, for the tests of CloudWatch's behaviours."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.server import Server
from tests.sandbox.emulator.lambda_functions import eventually, queue, received

NAMESPACE = "Test"
MINUTE = 60


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def put_series(
    aws: Server, metric: str, values: Sequence[float], *, dimensions: dict[str, str] | None = None
) -> None:
    """One datapoint a minute, `values` repeated from ten minutes ago to thirty minutes ahead."""
    first = int(aws.now()) // MINUTE - 10
    data = [
        {
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in (dimensions or {}).items()],
            "Timestamp": datetime.fromtimestamp(minute * MINUTE, UTC),
            "Value": values[minute % len(values)],
        }
        for minute in range(first, first + 40)
    ]
    aws.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


def put_alarm(aws: Server, metric: str, **settings: Any) -> str:
    """An alarm on Sum > 0 of one minute; returns its name."""
    name = unique("alarm")
    given: dict[str, Any] = {
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        **({} if "Metrics" in settings else {"Namespace": NAMESPACE, "MetricName": metric}),
        **({} if "Metrics" in settings else {"Statistic": "Sum", "Period": MINUTE}),
    }
    aws.client("cloudwatch").put_metric_alarm(AlarmName=name, **{**given, **settings})
    return name


def described(aws: Server, name: str) -> dict[str, Any]:
    found = aws.client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    alarm: dict[str, Any] = (found["MetricAlarms"] + found["CompositeAlarms"])[0]
    return alarm


def in_state(aws: Server, name: str, state: str) -> dict[str, Any]:
    """The alarm as soon as it is in that state."""
    alarm = eventually(lambda: described(aws, name), lambda alarm: alarm["StateValue"] == state)
    assert alarm["StateValue"] == state, alarm["StateReason"]
    return alarm


def event_queue(aws: Server, alarm: str) -> Callable[[int], list[dict[str, Any]]]:
    """Collects the state change events of one alarm; call with the number to wait for."""
    url, arn = queue(aws)
    events, rule = aws.client("events"), unique("rule")
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [alarm]}}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    return lambda count: [json.loads(message["Body"]) for message in received(aws, url, count)]


def topic_queue(aws: Server) -> tuple[str, Callable[[int, float], list[dict[str, Any]]]]:
    """A topic's ARN, and what it was sent; call with the number to wait for and for how long."""
    url, arn = queue(aws)
    sns = aws.client("sns")
    topic: str = sns.create_topic(Name=unique("topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return topic, lambda count, seconds: [
        json.loads(message["Body"]) for message in received(aws, url, count, seconds)
    ]
