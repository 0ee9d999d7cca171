"""Alias weights decide the version of every invocation, whoever makes it; impossible weights are refused."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import pytest
from botocore.exceptions import ClientError

from sandbox.emulator.lambda_aliases import draw
from sandbox.server import Server
from tests.sandbox.emulator.lambda_functions import (
    ROLE,
    arn,
    call,
    create,
    eventually,
    printed,
    publish,
    queue,
    rule,
)

CODE = "import json\ndef handler(event, context): print(json.dumps({'version': context.function_version, 'arn': context.invoked_function_arn}))\n"
CALLS = 40  # the chance that all go to one of two equal versions is 2 in a million million


@pytest.fixture
def halved(aws: Server) -> str:
    """A function whose alias `live` sends half of its calls to version 1, half to version 2."""
    name = create(aws, CODE)
    one, two = publish(aws, name, CODE), publish(aws, name, f"{CODE}# again\n")
    assert (one, two) == ("1", "2")
    aws.client("lambda").create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion=one,
        RoutingConfig={"AdditionalVersionWeights": {two: 0.5}},
    )
    return name


def test_the_invoke_api_tells_which_version_ran(aws: Server, halved: str):
    told = Counter(call(aws, halved, Qualifier="live")[1]["ExecutedVersion"] for _ in range(CALLS))

    ran = Counter(run["version"] for run in printed(aws, halved))
    assert set(told) == {"1", "2"}
    assert told == ran
    assert {run["arn"] for run in printed(aws, halved)} == {f"{arn(halved)}:live"}


def test_a_version_is_published_in_sandbox_time(aws: Server):
    before = aws.now()
    name = create(aws, CODE)
    client = aws.client("lambda")
    client.publish_version(FunctionName=name)

    dates = [v["LastModified"] for v in client.list_versions_by_function(FunctionName=name)["Versions"]]

    assert len(dates) == 2
    for date in dates:
        assert before - 0.001 <= datetime.fromisoformat(date).timestamp() <= aws.now()


def test_a_version_or_the_bare_function_is_not_weighted(aws: Server, halved: str):
    told = {call(aws, halved, Qualifier="2")[1]["ExecutedVersion"] for _ in range(5)}
    bare = {call(aws, halved)[1]["ExecutedVersion"] for _ in range(5)}

    assert (told, bare) == ({"2"}, {"$LATEST"})


def by_event(aws: Server, name: str) -> None:
    send = rule(aws, {"Arn": f"{arn(name)}:live"})
    for number in range(CALLS):
        send({"number": number})


def by_queue(aws: Server, name: str) -> None:
    url, queue_arn = queue(aws)
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=queue_arn, FunctionName=f"{arn(name)}:live", BatchSize=1
    )
    for number in range(CALLS):
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=str(number))


def by_state_machine(aws: Server, name: str) -> None:
    states = aws.client("stepfunctions")
    task = {"Type": "Task", "Resource": f"{arn(name)}:live", "End": True}
    machine = states.create_state_machine(
        name=f"m-{uuid.uuid4().hex}",
        roleArn=ROLE,
        definition=json.dumps({"StartAt": "Call", "States": {"Call": task}}),
    )["stateMachineArn"]
    for _ in range(CALLS):
        states.start_execution(stateMachineArn=machine)


@pytest.mark.parametrize("path", [by_event, by_queue, by_state_machine])
def test_every_other_path_is_weighted_too(aws: Server, halved: str, path: Callable[[Server, str], None]):
    path(aws, halved)

    runs = eventually(lambda: printed(aws, halved), lambda found: len(found) >= CALLS, 15)
    versions = Counter(run["version"] for run in runs)
    assert set(versions) == {"1", "2"}
    assert versions.total() == CALLS


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"FunctionVersion": "99"}, "ResourceNotFoundException"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"99": 0.1}}}, "ResourceNotFoundException"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 1.5}}}, "ValidationException"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 1.0}}}, "InvalidParameterValueException"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}, "InvalidParameterValueException"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.5}}}, "InvalidParameterValueException"),
    ],
)
def test_an_impossible_routing_is_refused_and_changes_nothing(
    aws: Server, halved: str, change: dict[str, object], code: str
):
    client = aws.client("lambda")
    before = client.get_alias(FunctionName=halved, Name="live")

    with pytest.raises(ClientError) as refused:
        client.update_alias(FunctionName=halved, Name="live", **change)

    assert refused.value.response["Error"]["Code"] == code
    after = client.get_alias(FunctionName=halved, Name="live")
    assert after["RoutingConfig"] == before["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.5}}
    assert after["RevisionId"] == before["RevisionId"]


def test_promoting_the_second_version_takes_the_weights_away(aws: Server, halved: str):
    client = aws.client("lambda")

    client.update_alias(
        FunctionName=halved, Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}}
    )

    assert {call(aws, halved, Qualifier="live")[1]["ExecutedVersion"] for _ in range(10)} == {"2"}


def test_reading_an_alias_names_it_and_shows_its_main_version(aws: Server, halved: str):
    found = aws.client("lambda").get_function_configuration(FunctionName=halved, Qualifier="live")

    assert (found["FunctionArn"], found["Version"]) == (f"{arn(halved)}:live", "1")


@pytest.mark.parametrize(("dice", "version"), [(0.0, "2"), (0.0999, "2"), (0.1, "1"), (0.9999, "1")])
def test_the_weight_is_the_share_of_the_additional_version(dice: float, version: str):
    alias = {"FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}}

    assert draw(alias, dice) == version
