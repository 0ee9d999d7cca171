"""What becomes of an event whose target is gone, fails or is a log group."""

from __future__ import annotations

import json
import time
import uuid

import pytest

from sandbox.server import ACCOUNT, REGION, Server
from tests.sandbox.emulator.lambda_functions import (
    arn,
    attributes_of,
    create,
    eventually,
    log_lines,
    queue,
    received,
    rule,
)

OWN = f"{REGION}:{ACCOUNT}"
POLICY = {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600}


@pytest.mark.parametrize(
    "missing",
    [
        f"arn:aws:lambda:{OWN}:function:nowhere",
        f"arn:aws:states:{OWN}:stateMachine:nowhere",
        f"arn:aws:sqs:{OWN}:nowhere",
        f"arn:aws:sns:{OWN}:nowhere",
        f"arn:aws:logs:{OWN}:log-group:/aws/events/nowhere",
    ],
)
def test_an_event_for_a_target_that_is_gone_goes_to_the_dead_letter_queue_at_once(aws: Server, missing: str):
    # Given a rule whose target does not exist
    url, dead_letters = queue(aws)
    target = {"Arn": missing, "DeadLetterConfig": {"Arn": dead_letters}, "RetryPolicy": POLICY}
    send = rule(aws, target)
    # When an event matches
    began = time.monotonic()
    send({"order": 7})
    message = received(aws, url)[0]
    # Then the queue holds the whole event, with AWS's words for what happened, without any retry
    body, attributes = json.loads(message["Body"]), attributes_of(message)
    assert body["detail"] == {"order": 7}
    assert body["source"].startswith("test.")
    assert attributes["RULE_ARN"] == f"arn:aws:events:{OWN}:rule/{body['source']}"
    assert attributes["TARGET_ARN"] == missing
    assert attributes["ERROR_CODE"] == "NO_RESOURCE"
    assert "nowhere" in attributes["ERROR_MESSAGE"]
    assert attributes["RETRY_ATTEMPTS"] == "0"
    assert time.monotonic() - began < 3


def test_the_dead_letter_has_the_event_and_not_the_targets_input(aws: Server):
    url, dead_letters = queue(aws)
    target = {"Arn": arn("nowhere"), "Input": '{"fixed": true}', "DeadLetterConfig": {"Arn": dead_letters}}

    rule(aws, target)({"order": 7})

    assert json.loads(received(aws, url)[0]["Body"])["detail"] == {"order": 7}


def test_a_fifo_queue_without_a_group_is_a_bad_parameter(aws: Server):
    url, dead_letters = queue(aws)
    name = f"q-{uuid.uuid4().hex[:12]}.fifo"
    aws.client("sqs").create_queue(QueueName=name, Attributes={"FifoQueue": "true"})

    rule(aws, {"Arn": f"arn:aws:sqs:{OWN}:{name}", "DeadLetterConfig": {"Arn": dead_letters}})({})

    assert attributes_of(received(aws, url)[0])["ERROR_CODE"] == "INVALID_PARAMETER"


def test_a_handler_that_raises_is_lambdas_business_not_that_of_the_rule(aws: Server):
    # Given a target function that fails and may not be retried, its own destination, and a rule with a DLQ
    of_rule, dead_letters = queue(aws)
    of_lambda, destination = queue(aws)
    name = create(aws, "def handler(event, context): raise RuntimeError(event['detail']['order'])")
    aws.client("lambda").put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": destination}},
    )
    send = rule(aws, {"Arn": arn(name), "DeadLetterConfig": {"Arn": dead_letters}})
    # When an event matches
    send({"order": 7})
    # Then Lambda tells its destination; for EventBridge the event is delivered
    record = json.loads(received(aws, of_lambda)[0]["Body"])
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["requestPayload"]["detail"] == {"order": 7}
    assert record["responsePayload"]["errorMessage"] == "7"
    assert sum(line.startswith("START") for line in log_lines(aws, name)) == 1
    assert aws.client("sqs").receive_message(QueueUrl=of_rule).get("Messages") is None


def test_a_target_that_works_gets_the_transformed_input(aws: Server):
    url, queue_arn = queue(aws)
    transformer = {"InputPathsMap": {"order": "$.detail.order"}, "InputTemplate": '{"number": <order>}'}

    rule(aws, {"Arn": queue_arn, "InputTransformer": transformer})({"order": 7})

    assert json.loads(received(aws, url)[0]["Body"]) == {"number": 7}


def test_a_log_group_gets_the_event_in_a_stream_of_its_own(aws: Server):
    logs, group = aws.client("logs"), f"/aws/events/{uuid.uuid4().hex}"
    logs.create_log_group(logGroupName=group)
    send = rule(aws, {"Arn": f"arn:aws:logs:{OWN}:log-group:{group}"})

    send({"order": 7})
    send({"order": 8})

    found = eventually(
        lambda: logs.filter_log_events(logGroupName=group)["events"], lambda events: len(events) == 2
    )
    assert sorted(json.loads(event["message"])["detail"]["order"] for event in found) == [7, 8]
    assert len({event["logStreamName"] for event in found}) == 2
    assert abs(found[0]["timestamp"] / 1000 - aws.now()) < 60
