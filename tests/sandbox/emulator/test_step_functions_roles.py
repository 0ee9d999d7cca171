"""The state machine's role decides what its states may do, on a server that enforces IAM."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import server
from sandbox.server import Server
from tests.sandbox.emulator import lambda_functions
from tests.sandbox.emulator.state_machines import (
    Definition,
    client,
    item_ids,
    jsonata,
    play,
    put,
    table,
    task,
)

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = server.start(Path(tmp_path_factory.mktemp("guarded")) / "state", scale=20.0, auth=True)
    yield running
    running.stop()


def role(guarded: Server, name: str, *statements: dict[str, Any]) -> str:
    iam = client(guarded, "iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    if statements:
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=json.dumps(policy))
    return str(arn)


def allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def test_a_role_may_do_what_its_policy_allows_and_nothing_else(guarded: Server):
    # Given two tables, and a role that may write to one of them
    mine, other = table(guarded), table(guarded)
    where = client(guarded, "dynamodb").describe_table(TableName=mine)["Table"]["TableArn"]
    arn = role(guarded, "writer", allow("dynamodb:PutItem", where))
    # When machines of that role write to both
    allowed, denied = (play(guarded, jsonata(A=put(name, "x")), roleArn=arn) for name in (mine, other))
    # Then one write happened and the other one failed as on AWS
    assert allowed.status == "SUCCEEDED", allowed.cause
    assert (denied.status, denied.error) == ("FAILED", "DynamoDb.DynamoDbException")
    assert denied.cause is not None
    assert "not authorized to perform: dynamodb:PutItem" in denied.cause
    assert (item_ids(guarded, mine), item_ids(guarded, other)) == ({"x"}, set())


def test_a_role_without_rights_cannot_call_a_function(guarded: Server):
    # Given a function and a role that may do nothing
    nobody = role(guarded, "nobody")
    function = lambda_functions.create(guarded, "def handler(event, context): return 1", Role=nobody)
    machine: Definition = jsonata(A=task("lambda:invoke", {"FunctionName": function, "Payload": {}}))
    # When its machine calls the function
    done = play(guarded, machine, roleArn=nobody)
    # Then
    assert (done.status, done.error) == ("FAILED", "Lambda.AccessDeniedException")


def granted(server: Server) -> list[dict[str, Any]]:
    request = urllib.request.Request(f"{server.endpoint}/_selfright/iam-calls", method="DELETE")  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - this machine's own emulator
        told: list[dict[str, Any]] = json.load(answer)
        return told


def test_what_a_role_was_granted_is_told_once_and_what_it_was_denied_never(guarded: Server):
    mine, other = table(guarded), table(guarded)
    where = client(guarded, "dynamodb").describe_table(TableName=mine)["Table"]["TableArn"]
    arn = role(guarded, "remembered", allow("dynamodb:PutItem", where))

    for name in (mine, mine, other):
        play(guarded, jsonata(A=put(name, "x")), roleArn=arn)

    of_the_role = [call for call in granted(guarded) if call["role"] == "remembered"]
    assert of_the_role == [{"role": "remembered", "action": "dynamodb:PutItem", "resource": where}]
    assert granted(guarded) == []
