"""Task tokens: answers, refusals, heartbeats, and a token of its own for each attempt."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.server import Server
from tests.sandbox.emulator import lambda_functions
from tests.sandbox.emulator.state_machines import (
    client,
    create,
    ended,
    eventually,
    jsonata,
    pass_,
    start,
    task,
    types,
)


@pytest.fixture
def mailbox(aws: Server) -> str:
    url, _ = lambda_functions.queue(aws)
    return url


def token_in(aws: Server, mailbox: str) -> str:
    """The next token that a task has sent."""
    sqs = client(aws, "sqs")
    [message] = eventually(lambda: sqs.receive_message(QueueUrl=mailbox).get("Messages", []))
    sqs.delete_message(QueueUrl=mailbox, ReceiptHandle=message["ReceiptHandle"])
    return str(json.loads(message["Body"])["token"])


def asking(mailbox: str, **fields: Any) -> dict[str, Any]:
    arguments = {"QueueUrl": mailbox, "MessageBody": {"token": "{% $states.context.Task.Token %}"}}
    return task("sqs:sendMessage.waitForTaskToken", arguments, **fields)


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


def test_an_answer_becomes_the_tasks_result_and_a_token_answers_once(aws: Server, mailbox: str):
    # Given a task that waits
    states = client(aws, "stepfunctions")
    execution = start(aws, create(aws, jsonata(A=asking(mailbox))))
    token = token_in(aws, mailbox)
    # When the answer comes, and comes again
    assert refusal(states.send_task_success, taskToken=token, output="{not json") == "InvalidOutput"
    states.send_task_success(taskToken=token, output='{"go": true}')
    again = refusal(states.send_task_success, taskToken=token, output='{"go": false}')
    # Then the first one counts
    assert ended(aws, execution).output == {"go": True}
    assert again == "TaskTimedOut"
    assert types(aws, execution)[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]


@pytest.mark.parametrize("action", ["send_task_success", "send_task_failure", "send_task_heartbeat"])
def test_what_never_was_a_token_is_invalid(aws: Server, action: str):
    # Given / When / Then
    more = {"output": "1"} if action == "send_task_success" else {}
    assert (
        refusal(getattr(client(aws, "stepfunctions"), action), taskToken="made-up", **more) == "InvalidToken"
    )


def test_a_failure_is_caught_by_its_name(aws: Server, mailbox: str):
    # Given a task whose failure "Refused" is caught
    catch = [{"ErrorEquals": ["Refused"], "Next": "B", "Output": "{% $states.errorOutput %}"}]
    execution = start(aws, create(aws, jsonata(A=asking(mailbox, Catch=catch), B=pass_())))
    # When somebody refuses
    client(aws, "stepfunctions").send_task_failure(
        taskToken=token_in(aws, mailbox), error="Refused", cause="not now"
    )
    # Then
    assert ended(aws, execution).output == {"Error": "Refused", "Cause": "not now"}


def test_each_attempt_has_a_token_of_its_own(aws: Server, mailbox: str):
    # Given a task that is tried twice
    states = client(aws, "stepfunctions")
    retry = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    execution = start(aws, create(aws, jsonata(A=asking(mailbox, Retry=retry))))
    first = token_in(aws, mailbox)
    # When the first attempt fails, and the second one succeeds
    states.send_task_failure(taskToken=first, error="Again")
    second = token_in(aws, mailbox)
    late = refusal(states.send_task_success, taskToken=first, output="1")
    states.send_task_success(taskToken=second, output="2")
    # Then the old token is worthless
    assert first != second
    assert late == "TaskTimedOut"
    assert ended(aws, execution).output == 2


def test_heartbeats_keep_a_task_alive_beyond_their_interval(aws: Server, mailbox: str):
    # Given a task that must beat every second
    states = client(aws, "stepfunctions")
    execution = start(aws, create(aws, jsonata(A=asking(mailbox, HeartbeatSeconds=1, TimeoutSeconds=20))))
    token = token_in(aws, mailbox)
    # When it beats for longer than that
    began = time.monotonic()
    while time.monotonic() - began < 1.3:
        states.send_task_heartbeat(taskToken=token)
        time.sleep(0.3)
    states.send_task_success(taskToken=token, output="1")
    # Then it is still there to be answered
    assert ended(aws, execution).status == "SUCCEEDED"


def test_a_missed_heartbeat_is_caught_by_both_of_its_names(aws: Server, mailbox: str):
    # Given two tasks that must beat every second, and do not
    def silent(name: str) -> str:
        catch = [{"ErrorEquals": [name], "Next": "B", "Output": "{% $states.errorOutput.Error %}"}]
        state = asking(mailbox, HeartbeatSeconds=1, TimeoutSeconds=20, Catch=catch)
        return start(aws, create(aws, jsonata(A=state, B=pass_())))

    executions = [silent(name) for name in ("States.HeartbeatTimeout", "States.Timeout")]
    tokens = [token_in(aws, mailbox) for _ in executions]
    # When a second has passed
    both = [ended(aws, execution) for execution in executions]
    # Then either catch has it, and the tokens are closed
    assert [(done.status, done.output) for done in both] == [("SUCCEEDED", "States.Timeout")] * 2
    assert all(1 <= done.seconds < 2 for done in both)
    beat = client(aws, "stepfunctions").send_task_heartbeat
    assert {refusal(beat, taskToken=token) for token in tokens} == {"TaskTimedOut"}


def test_a_lambda_that_raises_ends_the_wait_for_its_token(aws: Server):
    # Given a function that fails before anybody could answer
    code = "class LostError(Exception): pass\ndef handler(event, context): raise LostError('gone')"
    function = lambda_functions.create(aws, code)
    arguments = {"FunctionName": function, "Payload": {"token": "{% $states.context.Task.Token %}"}}
    # When it runs
    execution = start(aws, create(aws, jsonata(A=task("lambda:invoke.waitForTaskToken", arguments))))
    # Then the execution fails by its name instead of waiting
    assert ended(aws, execution).error == "LostError"
