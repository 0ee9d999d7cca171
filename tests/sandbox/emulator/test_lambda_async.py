"""Asynchronous invocations: retries on the sandbox clock, destinations, dead-letter queues, event age."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.emulator.lambda_async import Retries
from sandbox.server import Server, start
from tests.sandbox.emulator.lambda_functions import (
    arn,
    attributes_of,
    call,
    create,
    eventually,
    log_lines,
    queue,
    received,
    rule,
)

FAILING = "def handler(event, context): raise RuntimeError('still down')"


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Server]:
    """An emulator of its own in which the three minutes between three attempts last 0.3 seconds."""
    server = start(tmp_path / "state", scale=600.0)
    yield server
    server.stop()


def settings(aws: Server, name: str, **config: Any) -> None:
    aws.client("lambda").put_function_event_invoke_config(FunctionName=name, **config)


def test_what_is_given_up_goes_to_the_destination_as_a_record(aws: Server):
    # Given a function that may not be retried, with a destination for failures
    url, destination = queue(aws)
    name = create(aws, FAILING)
    settings(aws, name, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": destination}})
    # When an event fails
    call(aws, name, {"order": 7}, InvocationType="Event")
    # Then the destination gets the record of the invocation
    record = json.loads(received(aws, url)[0]["Body"])
    assert record["version"] == "1.0"
    assert record["requestContext"] == {
        "requestId": record["responsePayload"]["requestId"],
        "functionArn": f"{arn(name)}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 1,
    }
    assert record["requestPayload"] == {"order": 7}
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorType"] == "RuntimeError"


def test_a_success_goes_to_its_own_destination(aws: Server):
    url, destination = queue(aws)
    name = create(aws, "def handler(event, context): return {'total': 3}")
    settings(aws, name, DestinationConfig={"OnSuccess": {"Destination": destination}})

    call(aws, name, {"order": 7}, InvocationType="Event")

    record = json.loads(received(aws, url)[0]["Body"])
    assert record["requestContext"]["condition"] == "Success"
    assert record["responsePayload"] == {"total": 3}
    assert "functionError" not in record["responseContext"]


def test_a_destination_may_be_another_function(aws: Server):
    # Given a function whose success invokes another one
    receiver = create(
        aws, "import json\ndef handler(event, context): print(json.dumps(event['responsePayload']))"
    )
    name = create(aws, "def handler(event, context): return {'total': 3}")
    settings(aws, name, DestinationConfig={"OnSuccess": {"Destination": arn(receiver)}})

    call(aws, name, InvocationType="Event")

    lines = eventually(lambda: log_lines(aws, receiver), bool)
    assert '{"total": 3}\n' in lines


def test_with_no_concurrency_reserved_an_event_is_given_up_at_once(aws: Server):
    url, dead_letters = queue(aws)
    name = create(aws, FAILING, DeadLetterConfig={"TargetArn": dead_letters})
    aws.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    call(aws, name, {"order": 7}, InvocationType="Event")

    message = received(aws, url)[0]
    assert json.loads(message["Body"]) == {"order": 7}
    assert attributes_of(message)["ErrorCode"] == "429"
    assert log_lines(aws, name) == []


def test_an_alias_has_settings_of_its_own(aws: Server):
    url, destination = queue(aws)
    name, client = create(aws, FAILING), aws.client("lambda")
    version = client.publish_version(FunctionName=name)["Version"]
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    on_failure = {"OnFailure": {"Destination": destination}}
    settings(aws, name, Qualifier="live", MaximumRetryAttempts=0, DestinationConfig=on_failure)

    call(aws, name, InvocationType="Event", Qualifier="live")

    context = json.loads(received(aws, url)[0]["Body"])["requestContext"]
    assert (context["functionArn"], context["approximateInvokeCount"]) == (f"{arn(name)}:live", 1)


def test_by_default_an_event_is_tried_three_times_under_one_id_and_then_dead_lettered(hasty: Server):
    # Given a function that never succeeds, target of a rule
    url, dead_letters = queue(hasty)
    name = create(hasty, FAILING, DeadLetterConfig={"TargetArn": dead_letters})
    send = rule(hasty, {"Arn": arn(name)})
    # When an event matches
    send({"order": 7})
    message = received(hasty, url)[0]
    # Then it was tried three times, one and two minutes apart, and the queue has the event as it came
    starts = [line for line in log_lines(hasty, name) if line.startswith("START")]
    events = hasty.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    moments = [event["timestamp"] / 1000 for event in events if event["message"].startswith("START")]
    attributes = attributes_of(message)
    assert len(starts) == 3
    assert {line.split()[2] for line in starts} == {attributes["RequestID"]}
    assert moments[1] - moments[0] >= 60
    assert moments[2] - moments[1] >= 120
    assert json.loads(message["Body"])["detail"] == {"order": 7}
    assert (attributes["ErrorCode"], attributes["ErrorMessage"]) == ("200", "still down")


def test_pauses_are_one_and_two_minutes():
    retries = Retries(queued_at=0.0)

    pauses = [retries.pause(throttled=False, now=moment) for moment in (1.0, 62.0, 183.0)]

    assert pauses == [60.0, 120.0, "RetriesExhausted"]


def test_throttles_do_not_use_up_retries_but_age_does():
    retries = Retries(queued_at=0.0, retries=0, max_age=10.0)

    pauses = [retries.pause(throttled=True, now=moment) for moment in (0.0, 1.0, 3.0, 7.0)]

    assert pauses == [1.0, 2.0, 4.0, "EventAgeExceeded"]


def test_a_retry_that_would_come_too_late_is_not_made():
    retries = Retries(queued_at=100.0, max_age=59.0)

    assert retries.pause(throttled=False, now=100.0) == "EventAgeExceeded"
