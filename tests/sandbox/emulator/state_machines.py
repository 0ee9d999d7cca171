"""What the tests of the emulator's Step Functions share: write a definition, play it, look at what it left."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from sandbox.server import ACCOUNT, Server

ROLE = f"arn:aws:iam::{ACCOUNT}:role/states"
PATIENCE = 15.0  # seconds; an execution of these tests takes a tenth of one

Definition = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Ended:
    """An execution after its end. `seconds` of wall time."""

    arn: str
    status: str
    output: Any
    error: str | None
    cause: str | None
    seconds: float


@cache
def client(aws: Server, service: str) -> Any:
    """A client to be shared: making one takes longer than most executions of these tests."""
    return aws.client(service)


def jsonata(start: str = "A", **states: dict[str, Any]) -> Definition:
    """A JSONata machine; the first state is A."""
    return {"QueryLanguage": "JSONata", "StartAt": start, "States": states}


def jsonpath(**states: dict[str, Any]) -> Definition:
    """A JSONPath machine; the first state is A."""
    return {"StartAt": "A", "States": states}


def pass_(**fields: Any) -> dict[str, Any]:
    return {"Type": "Pass", **_onward(fields)}


def task(resource: str, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    given = {} if arguments is None else {"Arguments": arguments}
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", **given, **_onward(fields)}


def _onward(fields: dict[str, Any]) -> dict[str, Any]:
    return fields if "Next" in fields else {**fields, "End": True}


def create(aws: Server, definition: Definition | str, **more: Any) -> str:
    """A machine of a name of its own; its ARN."""
    text = definition if isinstance(definition, str) else json.dumps(definition)
    made = client(aws, "stepfunctions").create_state_machine(
        name=f"machine-{uuid.uuid4().hex[:12]}", definition=text, **{"roleArn": ROLE, **more}
    )
    return str(made["stateMachineArn"])


def start(aws: Server, machine: str, given: Any = None, **more: Any) -> str:
    started = client(aws, "stepfunctions").start_execution(
        stateMachineArn=machine, input=json.dumps(given if given is not None else {}), **more
    )
    return str(started["executionArn"])


def ended(aws: Server, execution: str) -> Ended:
    states = client(aws, "stepfunctions")
    found = eventually(
        lambda: states.describe_execution(executionArn=execution), lambda it: it["status"] != "RUNNING"
    )
    return Ended(
        execution,
        found["status"],
        json.loads(found["output"]) if "output" in found else None,
        found.get("error"),
        found.get("cause"),
        (found["stopDate"] - found["startDate"]).total_seconds() / aws.scale,
    )


def play(aws: Server, definition: Definition, given: Any = None, **more: Any) -> Ended:
    return ended(aws, start(aws, create(aws, definition, **more), given))


def history(aws: Server, execution: str) -> list[dict[str, Any]]:
    answer = client(aws, "stepfunctions").get_execution_history(executionArn=execution, maxResults=1000)
    return list(answer["events"])


def types(aws: Server, execution: str) -> list[str]:
    return [event["type"] for event in history(aws, execution)]


def table(aws: Server) -> str:
    """An empty table with the key `id`."""
    name = f"table-{uuid.uuid4().hex[:12]}"
    client(aws, "dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def put(table_name: str, item_id: Any, **fields: Any) -> dict[str, Any]:
    """A state that writes one item."""
    arguments = {"TableName": table_name, "Item": {"id": {"S": item_id}}}
    return task("aws-sdk:dynamodb:putItem", arguments, **fields)


def impossible_put(table_name: str, **fields: Any) -> dict[str, Any]:
    """A state that always fails with ConditionalCheckFailedException."""
    arguments = {
        "TableName": table_name,
        "Item": {"id": {"S": "never"}},
        "ConditionExpression": "attribute_exists(id)",
    }
    return task("aws-sdk:dynamodb:putItem", arguments, **fields)


def item_ids(aws: Server, table_name: str) -> set[str]:
    items = client(aws, "dynamodb").scan(TableName=table_name, ConsistentRead=True)["Items"]
    return {item["id"]["S"] for item in items}


def eventually(look: Callable[[], T], good: Callable[[T], bool] = bool, patience: float = PATIENCE) -> T:
    """What `look` gives once it is `good`. Fails with the last thing seen."""
    deadline = time.monotonic() + patience
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r}"
        time.sleep(0.02)
    return seen
