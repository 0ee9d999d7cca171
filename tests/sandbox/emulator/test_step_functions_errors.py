"""Errors of states: AWS's names, what Retry and Catch match, and executions that never hang."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.server import Server
from tests.sandbox.emulator import lambda_functions
from tests.sandbox.emulator.state_machines import (
    client,
    create,
    ended,
    history,
    impossible_put,
    jsonata,
    jsonpath,
    pass_,
    play,
    start,
    table,
    task,
)

RAISING = """
class DependencyDownError(Exception):
    pass

def handler(event, context):
    if event.get("raise"):
        raise DependencyDownError("the ledger does not answer")
    return {"got": event}
"""


def caught(*names: str) -> list[dict[str, Any]]:
    return [{"ErrorEquals": list(names), "Next": "B", "Output": "{% $states.errorOutput %}"}]


def test_a_conditional_write_that_loses_has_a_name_per_integration(aws: Server):
    # Given the same losing write through aws-sdk and through the optimised integration
    name = table(aws)
    optimised = {**impossible_put(name), "Resource": "arn:aws:states:::dynamodb:putItem"}
    # When both run
    sdk, direct = (play(aws, jsonata(A=state)) for state in (impossible_put(name), optimised))
    # Then each has AWS's name and wording for it
    assert sdk.error == "DynamoDb.ConditionalCheckFailedException"
    assert sdk.cause is not None
    assert sdk.cause.startswith(
        "The conditional request failed (Service: DynamoDb, Status Code: 400, Request ID: "
    )
    assert direct.error == "DynamoDB.ConditionalCheckFailedException"
    assert direct.cause is not None
    assert (
        "(Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ConditionalCheckFailedException;"
        in direct.cause
    )


@pytest.mark.parametrize(
    ("action", "arguments", "error"),
    [
        ("lambda:getFunction", {"FunctionName": "nobody"}, "Lambda.ResourceNotFoundException"),
        ("s3:getObject", {"Bucket": "no-such-bucket-here", "Key": "k"}, "S3.NoSuchBucketException"),
        (
            "cloudwatchlogs:describeLogStreams",
            {"LogGroupName": "/none"},
            "CloudWatchLogs.ResourceNotFoundException",
        ),
        (
            "sfn:describeExecution",
            {"ExecutionArn": "arn:aws:states:us-east-1:000000000000:execution:a:b"},
            "Sfn.ExecutionDoesNotExistException",
        ),
        ("ssm:getParameter", {"Name": "/none"}, "Ssm.ParameterNotFoundException"),
    ],
)
def test_sdk_errors_are_named_after_the_java_client(
    aws: Server, action: str, arguments: dict[str, Any], error: str
):
    # Given a call that its service refuses / When it runs / Then this is its name
    assert play(aws, jsonata(A=task(f"aws-sdk:{action}", arguments))).error == error


def test_results_and_parameters_have_awss_casing_and_types(aws: Server):
    # Given a bucket with an object, read by a task
    storage = client(aws, "s3")
    storage.create_bucket(Bucket="casing-of-results")
    storage.put_object(Bucket="casing-of-results", Key="k", Body=b'{"a": 1}')
    read = task("aws-sdk:s3:getObject", {"Bucket": "casing-of-results", "Key": "k"})
    read["Output"] = "{% $merge([$states.result.{'Body': Body, 'LastModified': LastModified}]) %}"
    # When it runs
    got = play(aws, jsonata(A=read)).output
    # Then streams are text and times are ISO 8601
    assert got["Body"] == '{"a": 1}'
    assert got["LastModified"][10] == "T"
    assert got["LastModified"].endswith("Z")


def test_a_lambda_is_caught_by_the_class_of_its_exception(aws: Server):
    # Given a function that raises DependencyDownError, and a catch for that name
    function = lambda_functions.create(aws, RAISING)
    machine = jsonata(
        A=task(
            "lambda:invoke",
            {"FunctionName": function, "Payload": {"raise": True}},
            Catch=caught("DependencyDownError"),
        ),
        B=pass_(
            Output={
                "error": "{% $states.input.Error %}",
                "message": "{% $parse($states.input.Cause).errorMessage %}",
            }
        ),
    )
    # When it runs
    done = play(aws, machine)
    # Then the name matched, and the cause carries the message
    assert done.output == {"error": "DependencyDownError", "message": "the ledger does not answer"}


def test_a_lambda_gets_its_payload_and_gives_its_answer(aws: Server):
    # Given a function that echoes, called by integration and by its ARN
    function = lambda_functions.create(aws, RAISING)
    arn = client(aws, "lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    invoke = task("lambda:invoke", {"FunctionName": function, "Payload": {"n": 1}})
    direct = {**task("x"), "Resource": arn, "Arguments": {"n": 2}}
    # When both run
    results = [play(aws, jsonata(A=state)).output for state in (invoke, direct)]
    # Then the integration wraps the payload and the plain ARN does not
    assert results[0]["Payload"] == {"got": {"n": 1}}
    assert results[0]["StatusCode"] == 200
    assert results[1] == {"got": {"n": 2}}


@pytest.mark.parametrize("by_arn", [False, True])
def test_a_throttled_lambda_can_be_matched_by_name(aws: Server, by_arn: bool):
    # Given a function that may not run at all
    function = lambda_functions.create(aws, RAISING)
    lambdas = client(aws, "lambda")
    lambdas.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    state = task(
        "lambda:invoke",
        {"FunctionName": function, "Payload": {}},
        Catch=caught("Lambda.TooManyRequestsException"),
    )
    if by_arn:
        state["Resource"] = lambdas.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    # When it is called
    done = play(aws, jsonata(A=state, B=pass_(Output="{% $states.input.Error %}")))
    # Then the throttle has AWS's name
    assert done.output == "Lambda.TooManyRequestsException"


def test_states_all_does_not_catch_a_runtime_error(aws: Server):
    # Given a task that cannot be carried out (its path leads nowhere), and a catch-all
    state = {
        **task("aws-sdk:dynamodb:listTables"),
        "Parameters": {"Limit.$": "$.gone"},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}],
    }
    # When it runs
    done = play(aws, jsonpath(A=state, B=pass_()))
    # Then the execution fails all the same
    assert (done.status, done.error) == ("FAILED", "States.Runtime")


def test_task_failed_matches_every_error_of_a_task_but_a_timeout(aws: Server):
    # Given the same failing task under two catches
    name = table(aws)
    # When it runs
    done = play(aws, jsonata(A=impossible_put(name, Catch=caught("States.TaskFailed")), B=pass_()))
    # Then the group name matched
    assert done.output["Error"] == "DynamoDb.ConditionalCheckFailedException"


def test_a_choice_without_a_match_fails_by_name(aws: Server):
    # Given a choice with no default / When nothing matches
    choice = {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "B"}]}
    done = play(aws, jsonata(A=choice, B=pass_()))
    # Then
    assert (done.status, done.error) == ("FAILED", "States.NoChoiceMatched")


def test_a_fail_state_fails_with_its_own_error(aws: Server):
    # Given / When
    done = play(
        aws,
        jsonata(A={"Type": "Fail", "Error": "NotSafe", "Cause": "{% 'lease of ' & $states.input.who %}"}),
        {"who": "x"},
    )
    # Then
    assert (done.status, done.error, done.cause) == ("FAILED", "NotSafe", "lease of x")


def test_a_timeout_inside_keeps_its_name_outside(aws: Server):
    # Given a task that times out inside a Parallel and inside a Map, and catches outside for States.Timeout
    queue, _ = lambda_functions.queue(aws)
    inner = task(
        "sqs:sendMessage.waitForTaskToken",
        {"QueueUrl": queue, "MessageBody": "{% $states.context.Task.Token %}"},
        TimeoutSeconds=1,
    )
    scope = {"StartAt": "T", "States": {"T": inner}}
    kinds = ({"Type": "Parallel", "Branches": [scope]}, {"Type": "Map", "Items": [1], "ItemProcessor": scope})
    machines = [
        jsonata(A={**kind, "Catch": caught("States.Timeout"), "End": True}, B=pass_()) for kind in kinds
    ]
    # When both run
    executions = [start(aws, create(aws, machine)) for machine in machines]
    # Then the name got through
    assert [ended(aws, execution).output["Error"] for execution in executions] == ["States.Timeout"] * 2


def test_what_the_interpreter_cannot_do_fails_the_execution(aws: Server):
    # Given a task on an activity, which this emulator does not run / When it runs
    state = {**task("x"), "Resource": "arn:aws:states:us-east-1:000000000000:activity:none"}
    done = play(aws, jsonata(A=state))
    # Then the execution is over
    assert (done.status, done.error) == ("FAILED", "States.Runtime")
    assert history(aws, done.arn)[-1]["type"] == "ExecutionFailed"
