"""What the tests of Lambda and EventBridge share: functions made from text, queues, and patient reading."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from sandbox.server import ACCOUNT, REGION, Server

ROLE = f"arn:aws:iam::{ACCOUNT}:role/test"
T = TypeVar("T")


def zipped(**files: str) -> bytes:
    """A zip file of text files; a double underscore in a name stands for a slash: python__lib -> python/lib.py"""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name.replace('__', '/')}.py", text)
    return content.getvalue()


def create(aws: Server, code: str, **settings: Any) -> str:
    """A new function of the module `app`; returns its name."""
    name = f"f-{uuid.uuid4().hex[:12]}"
    given = {
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Role": ROLE,
        "Timeout": 10,
        "MemorySize": 256,
    }
    aws.client("lambda").create_function(
        FunctionName=name, Code={"ZipFile": zipped(app=code)}, **{**given, **settings}
    )
    return name


def arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def publish(aws: Server, name: str, code: str) -> str:
    """Replace the function's code and publish it; returns the version."""
    client = aws.client("lambda")
    client.update_function_code(FunctionName=name, ZipFile=zipped(app=code))
    version: str = client.publish_version(FunctionName=name)["Version"]
    return version


def call(aws: Server, name: str, event: Any = None, **options: Any) -> tuple[Any, dict[str, Any]]:
    """The answer's payload and the rest of it."""
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}), **options)
    payload = answer["Payload"].read()
    return json.loads(payload) if payload else None, answer


def log_lines(aws: Server, name: str) -> list[str]:
    """Every line in the function's log group, all streams, oldest first."""
    logs = aws.client("logs")
    try:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        return [event["message"] for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def printed(aws: Server, name: str) -> list[Any]:
    """What the handlers printed as JSON objects."""
    return [json.loads(line) for line in log_lines(aws, name) if line.startswith("{")]


def queue(aws: Server, **attributes: str) -> tuple[str, str]:
    """A new queue: URL and ARN."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:12]}", Attributes=attributes)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def received(aws: Server, url: str, count: int = 1, seconds: float = 10.0) -> list[dict[str, Any]]:
    """`count` messages, or fewer where they do not come in time; they are not deleted."""
    sqs = aws.client("sqs")
    messages: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    while len(messages) < count and time.monotonic() < deadline:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
        )
        messages += answer.get("Messages", [])
    return messages


def attributes_of(message: dict[str, Any]) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}


def eventually(read: Callable[[], T], fits: Callable[[T], bool], seconds: float = 10.0) -> T:
    """What `read` gives as soon as it `fits`; its last value, to be asserted on, where it never does."""
    deadline = time.monotonic() + seconds
    while not fits(value := read()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


def rule(aws: Server, target: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """A new rule with one target; returns a function that sends the rule one event with that detail."""
    events, source = aws.client("events"), f"test.{uuid.uuid4().hex}"
    events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule=source, Targets=[{"Id": "it", **target}])

    def send(detail: dict[str, Any]) -> None:
        answer = events.put_events(
            Entries=[{"Source": source, "DetailType": "Test", "Detail": json.dumps(detail)}]
        )
        assert answer["FailedEntryCount"] == 0

    return send


def metric(aws: Server, name: str, dimensions: dict[str, str], stat: str = "Sum") -> float:
    """One AWS/Lambda figure over all time; 0 where there is no datapoint."""
    query = {
        "Id": "m",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Lambda",
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            },
            "Period": 86400,
            "Stat": stat,
        },
    }
    end = datetime.fromtimestamp(aws.now() + 86400, UTC)
    start = datetime.fromtimestamp(aws.origin - 86400, UTC)
    answer = aws.client("cloudwatch").get_metric_data(MetricDataQueries=[query], StartTime=start, EndTime=end)
    return float(sum(answer["MetricDataResults"][0]["Values"]))
