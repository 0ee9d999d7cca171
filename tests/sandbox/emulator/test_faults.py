"""One chosen AWS call goes wrong in each way, as its caller's SDK sees it; all other calls go on."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from reliability.board import FaultBoard
from sandbox.emulator.faults import Fault
from sandbox.server import Server
from tests.sandbox.emulator.lambda_functions import call, create, eventually

# Two writes of the same item with the SDK's two tries, and what each of them met.
WRITER = """
import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 2}, read_timeout=1)
SERVICES = {
    "dynamodb": lambda c, n: c.update_item(
        TableName=n, Key={"pk": {"S": "a"}}, UpdateExpression="ADD writes :one",
        ExpressionAttributeValues={":one": {"N": "1"}}),
    "sns": lambda c, n: c.publish(TopicArn=n, Message="m"),
    "cloudwatch": lambda c, n: c.describe_alarms(AlarmNames=[n]),
    "appconfigdata": lambda c, n: c.start_configuration_session(
        ApplicationIdentifier=n, EnvironmentIdentifier="e", ConfigurationProfileIdentifier="p"),
}

def handler(event, context):
    client = boto3.client(event["service"], config=CONFIG)
    met = []
    for _ in range(event["times"]):
        try:
            SERVICES[event["service"]](client, event["name"])
            met.append("ok")
        except ClientError as error:
            met.append(error.response["Error"]["Code"])
        except BotoCoreError as error:
            met.append(type(error).__name__)
    return met
"""


@pytest.fixture(scope="module")
def writer(aws: Server) -> str:
    return create(aws, WRITER)


@pytest.fixture
def table(aws: Server) -> Iterator[str]:
    client, name = aws.client("dynamodb"), "faulty"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield name
    client.delete_table(TableName=name)


@pytest.fixture
def board(aws: Server) -> Iterator[FaultBoard]:
    board = FaultBoard(aws)
    yield board
    board.clear()


def on_second_write(writer: str, table: str, mode: str, **more: Any) -> Fault:
    return Fault(
        writer,
        "dynamodb:UpdateItem",
        f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}",
        2,
        mode,
        **more,
    )


def write(aws: Server, writer: str, table: str) -> Any:
    return call(aws, writer, {"service": "dynamodb", "name": table, "times": 3})[0]


def written(aws: Server, table: str) -> int:
    item = aws.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "a"}})["Item"]
    return int(item["writes"]["N"])


@pytest.mark.parametrize(
    ("mode", "times", "met", "made"),
    [
        ("fail", 1, ["ok", "ok", "ok"], 3),
        ("fail", 2, ["ok", "InternalServerError", "ok"], 2),
        ("throttle", 1, ["ok", "ok", "ok"], 3),
        ("throttle", 0, ["ok", "ProvisionedThroughputExceededException", "ok"], 2),
    ],
)
def test_a_call_fails_as_often_as_asked_and_the_sdk_tries_again(  # noqa: PLR0917 - pytest's fixtures
    aws: Server, board: FaultBoard, writer: str, table: str, mode: str, times: int, met: list[str], made: int
):
    board.arm(on_second_write(writer, table, mode, times=times))

    assert write(aws, writer, table) == met
    assert written(aws, table) == made


def test_a_late_answer_is_asked_for_again_although_the_call_was_carried_out(
    aws: Server, board: FaultBoard, writer: str, table: str
):
    board.arm(on_second_write(writer, table, "delay", seconds=1.5))

    assert write(aws, writer, table) == ["ok", "ok", "ok"]
    assert written(aws, table) == 4
    struck = [(c.nth, c.attempt, c.carried_out) for c in board.calls() if c.struck]
    assert struck == [(2, 1, True)]


@pytest.mark.parametrize(("mode", "made"), [("kill-before", 1), ("kill-after", 2)])
def test_the_function_dies_on_either_side_of_its_call(  # noqa: PLR0917 - pytest's fixtures
    aws: Server, board: FaultBoard, writer: str, table: str, mode: str, made: int
):
    board.arm(on_second_write(writer, table, mode))

    answer = write(aws, writer, table)

    assert answer["errorType"] == "Runtime.ExitError"
    assert written(aws, table) == made
    assert write(aws, writer, table) == ["ok", "ok", "ok"]  # in another process: once is once


def test_the_record_tells_invocations_and_the_sdks_tries_apart(
    aws: Server, board: FaultBoard, writer: str, table: str
):
    board.arm(on_second_write(writer, table, "fail"))
    write(aws, writer, table)
    write(aws, writer, table)

    calls = board.calls()

    assert [(c.nth, c.attempt, c.status) for c in calls] == [
        (1, 1, 200),
        (2, 1, 500),
        (2, 2, 200),
        (3, 1, 200),
        (1, 1, 200),
        (2, 1, 200),
        (3, 1, 200),
    ]
    assert len({c.invocation for c in calls}) == 2
    assert {c.caller for c in calls} == {writer}


@pytest.mark.parametrize(
    ("service", "action", "fails", "throttles"),
    [
        ("sns", "sns:Publish", "InternalError", "Throttled"),
        ("cloudwatch", "cloudwatch:DescribeAlarms", "InternalServiceFault", "ThrottlingException"),
        (
            "appconfigdata",
            "appconfig:StartConfigurationSession",
            "InternalServerException",
            "ThrottlingException",
        ),
    ],
)
def test_every_protocol_carries_the_services_own_words(  # noqa: PLR0917 - pytest's fixtures
    aws: Server, board: FaultBoard, writer: str, service: str, action: str, fails: str, throttles: str
):
    topic = aws.client("sns").create_topic(Name="faulty")["TopicArn"]
    asked = {"service": service, "name": topic if service == "sns" else "faulty", "times": 1}
    board.clear()
    call(aws, writer, asked)
    (clean,) = board.calls()
    assert clean.action == action

    for mode, code in (("fail", fails), ("throttle", throttles)):
        board.arm(Fault(writer, action, clean.resource, 1, mode, times=0))
        assert call(aws, writer, asked)[0] == [code]


def test_a_state_machines_own_calls_are_known_by_its_role(aws: Server, board: FaultBoard, writer: str):
    client = aws.client("stepfunctions")
    role = "arn:aws:iam::000000000000:role/faulty-machine"
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": writer, "Payload": {"service": "sns", "name": "x", "times": 0}},
        "End": True,
    }
    definition = json.dumps({"StartAt": "Write", "States": {"Write": state}})
    machine = client.create_state_machine(name="faulty", roleArn=role, definition=definition)[
        "stateMachineArn"
    ]
    resource = f"arn:aws:lambda:us-east-1:000000000000:function:{writer}"
    board.arm(Fault("faulty-machine", "lambda:InvokeFunction", resource, 1, "throttle"))

    execution = client.start_execution(stateMachineArn=machine)["executionArn"]
    ended = eventually(
        lambda: client.describe_execution(executionArn=execution), lambda found: found["status"] != "RUNNING"
    )

    assert (ended["status"], ended["error"]) == ("FAILED", "Lambda.TooManyRequestsException")
    assert [(c.caller, c.status) for c in board.calls()] == [("faulty-machine", 429)]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"caller": "f"}, "must be a JSON object of caller, action"),
        ({"caller": "f", "action": "a", "resource": "r", "nth": 0, "mode": "fail"}, "nth: is counted from 1"),
        (
            {"caller": "f", "action": "a", "resource": "r", "nth": 1, "mode": "melt"},
            "mode: must be one of fail",
        ),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(aws: Server, given: dict[str, Any], says: str):
    url = f"{aws.endpoint}/_selfright/faults"
    request = urllib.request.Request(url, json.dumps(given).encode(), method="PUT")  # noqa: S310

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)  # noqa: S310 - this machine's own emulator

    assert refused.value.code == 400
    assert says in json.loads(refused.value.read())["error"]
    refused.value.close()
