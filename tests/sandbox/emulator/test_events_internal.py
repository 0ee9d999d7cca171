"""Events of AWS itself: injected through the admin route, told by CloudFormation, fired by schedules."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from datetime import datetime
from typing import Any

import pytest

from sandbox.emulator.events_admin import parse
from sandbox.server import ACCOUNT, REGION, Server
from tests.sandbox.emulator.lambda_functions import queue, received

HEALTH = {
    "source": "aws.health",
    "detail-type": "AWS Health Event",
    "detail": {"service": "LAMBDA", "eventTypeCode": "AWS_LAMBDA_OPERATIONAL_ISSUE"},
    "resources": ["arn:aws:lambda:us-east-1:000000000000:function:shop"],
}


def inject(aws: Server, event: Any, method: str = "POST") -> int:
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{aws.endpoint}/_selfright/events", data=json.dumps(event).encode(), method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def listen(aws: Server, pattern: dict[str, Any] | None = None, schedule: str | None = None) -> str:
    """The URL of a queue that gets every event of a new rule."""
    url, queue_arn = queue(aws)
    name, events = f"r-{uuid.uuid4().hex[:12]}", aws.client("events")
    if schedule:
        events.put_rule(Name=name, ScheduleExpression=schedule)
    else:
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "it", "Arn": queue_arn}])
    return url


def test_an_injected_event_matches_rules_as_if_aws_had_sent_it(aws: Server):
    url = listen(aws, {"source": ["aws.health"], "detail": {"service": ["LAMBDA"]}})

    status = inject(aws, {**HEALTH, "time": "2026-11-23T10:00:00Z"})

    event = json.loads(received(aws, url)[0]["Body"])
    uuid.UUID(event.pop("id"))
    assert status == 200
    assert event == {
        **HEALTH,
        "version": "0",
        "time": "2026-11-23T10:00:00Z",
        "account": ACCOUNT,
        "region": REGION,
    }


def test_several_events_at_once_are_told_one_by_one(aws: Server):
    url = listen(aws, {"source": ["aws.health"], "detail": {"batch": [{"exists": True}]}})

    status = inject(aws, [{**HEALTH, "detail": {"batch": number}} for number in range(3)])

    assert status == 200
    told = [json.loads(message["Body"])["detail"]["batch"] for message in received(aws, url, 3)]
    assert sorted(told) == [0, 1, 2]


def test_without_a_time_it_is_now_on_the_sandbox_clock(aws: Server):
    url = listen(aws, {"source": ["aws.health"], "detail": {"nonce": ["now"]}})

    inject(aws, {**HEALTH, "detail": {"nonce": "now"}})

    told = datetime.fromisoformat(json.loads(received(aws, url)[0]["Body"])["time"])
    assert abs(told.timestamp() - aws.now()) < 60


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": "shop"}, "source"),
        ({"detail": "text"}, "detail"),
        ({"resources": None}, "resources"),
        ({"time": "2026-11-23T10:00:00"}, "time"),
    ],
)
def test_a_bad_event_is_refused_naming_the_field(aws: Server, change: dict[str, Any], field: str):
    assert inject(aws, {**HEALTH, **change}) == 400
    with pytest.raises(ValueError, match=f"^{field}: "):
        parse(json.dumps({**HEALTH, **change}).encode(), now=0.0)


def test_the_route_takes_post_only(aws: Server):
    assert inject(aws, HEALTH, method="PUT") == 405


def test_put_events_still_refuses_the_sources_of_aws(aws: Server):
    answer = aws.client("events").put_events(
        Entries=[{"Source": "aws.health", "DetailType": "AWS Health Event", "Detail": "{}"}]
    )

    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


def test_events_of_applications_carry_sandbox_time(aws: Server):
    source = f"test.{uuid.uuid4().hex}"
    url = listen(aws, {"source": [source]})

    aws.client("events").put_events(Entries=[{"Source": source, "DetailType": "Test", "Detail": "{}"}])

    told = datetime.fromisoformat(json.loads(received(aws, url)[0]["Body"])["time"])
    assert abs(told.timestamp() - aws.now()) < 60


def test_a_scheduled_rule_fires_on_the_sandbox_clock(aws: Server):
    # A minute takes three seconds at scale 20
    url = listen(aws, schedule="rate(1 minute)")

    event = json.loads(received(aws, url, seconds=6)[0]["Body"])

    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert abs(datetime.fromisoformat(event["time"]).timestamp() - aws.now()) < 60


def test_cloudformation_tells_each_status_of_a_stack(aws: Server):
    # Given a rule for stack events, and a stack with one queue
    name, cloudformation = f"s-{uuid.uuid4().hex[:12]}", aws.client("cloudformation")
    url = listen(aws, {"source": ["aws.cloudformation"], "detail": {"stack-id": [{"wildcard": f"*{name}*"}]}})
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    # When the stack is created and deleted
    stack = cloudformation.create_stack(
        StackName=name, TemplateBody=json.dumps(template), ClientRequestToken="release-7"
    )["StackId"]
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    cloudformation.delete_stack(StackName=name)
    # Then there are the four events of the stack, and none of its queue
    events = [json.loads(message["Body"]) for message in received(aws, url, count=4)]
    assert {event["detail-type"] for event in events} == {"CloudFormation Stack Status Change"}
    assert {tuple(event["resources"]) for event in events} == {(stack,)}
    by_status = {event["detail"]["status-details"]["status"]: event["detail"] for event in events}
    assert set(by_status) == {
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
        "DELETE_IN_PROGRESS",
        "DELETE_COMPLETE",
    }
    assert by_status["CREATE_COMPLETE"]["stack-id"] == stack
    assert by_status["CREATE_COMPLETE"]["client-request-token"] == "release-7"
