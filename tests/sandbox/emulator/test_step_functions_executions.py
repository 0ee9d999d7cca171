"""The life of an execution: names, versions, nesting, stopping."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.server import ACCOUNT, REGION, Server
from tests.sandbox.emulator.state_machines import (
    Definition,
    client,
    create,
    ended,
    eventually,
    history,
    impossible_put,
    item_ids,
    jsonata,
    pass_,
    put,
    start,
    table,
    task,
    types,
)

LONG = jsonata(A={"Type": "Wait", "Seconds": 3600, "End": True})


def refusal(aws: Server, machine: str, text: str = "{}", **more: Any) -> str:
    with pytest.raises(ClientError) as refused:
        client(aws, "stepfunctions").start_execution(stateMachineArn=machine, input=text, **more)
    return str(refused.value.response["Error"]["Code"])


def test_a_name_gives_the_running_execution_for_the_same_input_only(aws: Server):
    # Given an execution that runs under a name
    states, machine = client(aws, "stepfunctions"), create(aws, LONG)
    first = states.start_execution(stateMachineArn=machine, name="incident-1", input='{"a": 1, "b": 2}')
    # When the name comes again with the same input, with another one, and after the end
    same = states.start_execution(stateMachineArn=machine, name="incident-1", input='{"b": 2, "a": 1}')
    other = refusal(aws, machine, '{"a": 2}', name="incident-1")
    states.stop_execution(executionArn=first["executionArn"])
    after = refusal(aws, machine, '{"a": 1, "b": 2}', name="incident-1")
    # Then only the first of these is the same execution
    assert (same["executionArn"], same["startDate"]) == (first["executionArn"], first["startDate"])
    assert (other, after) == ("ExecutionAlreadyExists", "ExecutionAlreadyExists")
    assert len(states.list_executions(stateMachineArn=machine)["executions"]) == 1


def test_bad_starts_are_refused(aws: Server):
    # Given a machine / When what is handed in breaks a rule / Then AWS's code says which
    machine = create(aws, LONG)
    assert refusal(aws, machine, "{not json") == "InvalidExecutionInput"
    assert refusal(aws, machine, json.dumps("x" * 262_144)) == "InvalidExecutionInput"
    assert refusal(aws, machine, name="a/b") == "InvalidName"
    assert refusal(aws, f"{machine}-gone") == "StateMachineDoesNotExist"


def answering(text: str) -> Definition:
    return jsonata(A=pass_(Output=text))


def test_a_revision_is_published_once(aws: Server):
    states = client(aws, "stepfunctions")
    machine = create(aws, answering("one"))

    made = [states.publish_state_machine_version(stateMachineArn=machine) for _ in range(2)]
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(answering("two")))
    made.append(states.publish_state_machine_version(stateMachineArn=machine))

    assert [each["stateMachineVersionArn"] for each in made] == [f"{machine}:{n}" for n in (1, 1, 2)]


def test_versions_and_aliases_are_pinned_at_the_start_by_weight(aws: Server):
    # Given two published versions, a newer definition, and an alias with weights
    states = client(aws, "stepfunctions")
    machine = create(aws, answering("one"), publish=True)
    states.update_state_machine(
        stateMachineArn=machine, definition=json.dumps(answering("two")), publish=True
    )
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(answering("newest")))
    routes = [{"stateMachineVersionArn": f"{machine}:{n}", "weight": 50} for n in (1, 2)]
    alias = states.create_state_machine_alias(name="live", routingConfiguration=routes)[
        "stateMachineAliasArn"
    ]
    # When executions start by version, by alias and without
    by_version, plain = (ended(aws, start(aws, arn)) for arn in (f"{machine}:1", machine))
    by_alias = [ended(aws, start(aws, alias)) for _ in range(24)]
    # Then each runs what its ARN means (24 of a kind in a row: 1 in 8 million), and says so
    assert (by_version.output, plain.output) == ("one", "newest")
    assert set(Counter(done.output for done in by_alias)) == {"one", "two"}
    described = states.describe_execution(executionArn=by_alias[0].arn)
    number = {"one": 1, "two": 2}[by_alias[0].output]
    assert described["stateMachineVersionArn"] == f"{machine}:{number}"
    assert described["stateMachineAliasArn"] == alias
    assert described["stateMachineArn"] == machine
    definition = states.describe_state_machine_for_execution(executionArn=by_version.arn)["definition"]
    assert json.loads(definition) == answering("one")


def test_an_execution_keeps_the_definition_it_started_with(aws: Server):
    # Given a running execution
    states = client(aws, "stepfunctions")
    machine = create(aws, jsonata(A={"Type": "Wait", "Seconds": 6, "Next": "B"}, B=pass_(Output="old")))
    execution = start(aws, machine)
    # When the machine changes
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(answering("new")))
    # Then the execution does not
    assert ended(aws, execution).output == "old"
    assert ended(aws, start(aws, machine)).output == "new"


@pytest.mark.parametrize(("kind", "expected"), [("sync", '{"n":2}'), ("sync:2", {"n": 2})])
def test_a_nested_execution_gives_its_output_as_text_or_json(aws: Server, kind: str, expected: Any):
    # Given a parent that waits for its child
    child = create(aws, jsonata(A=pass_(Output={"n": "{% $states.input.n + 1 %}"})))
    arguments = {"StateMachineArn": child, "Input": {"n": "{% $states.input.n %}"}}
    parent = jsonata(A=task(f"states:startExecution.{kind}", arguments))
    # When it runs
    done = ended(aws, start(aws, create(aws, parent), {"n": 1}))
    # Then it has the child's description, with times in milliseconds
    assert done.status == "SUCCEEDED", done.cause
    assert done.output["Output"] == expected
    assert done.output["Status"] == "SUCCEEDED"
    assert done.output["RedriveCount"] == 0
    assert abs(done.output["StopDate"] / 1000 - aws.now()) < 60 * aws.scale


def test_a_nested_execution_may_be_left_to_itself_and_a_failed_one_fails_the_task(aws: Server):
    # Given a child that fails
    child = create(aws, jsonata(A={"Type": "Fail", "Error": "Broken"}))
    start_it, wait_for_it = (
        jsonata(A=task(f"states:startExecution{suffix}", {"StateMachineArn": child}))
        for suffix in ("", ".sync:2")
    )
    # When one parent only starts it and the other waits for it
    started, waited = (ended(aws, start(aws, create(aws, parent))) for parent in (start_it, wait_for_it))
    # Then only the second one fails, with the child's description as its cause
    assert started.status == "SUCCEEDED"
    assert started.output["ExecutionArn"].startswith(f"arn:aws:states:{REGION}:{ACCOUNT}:execution:")
    assert (waited.status, waited.error) == ("FAILED", "States.TaskFailed")
    assert waited.cause is not None
    assert json.loads(waited.cause)["Error"] == "Broken"


def test_stopping_ends_waits_branches_and_nested_executions(aws: Server):
    # Given an execution with a wait, an iteration, a retry and a nested execution under way, each followed by a write
    states, name = client(aws, "stepfunctions"), table(aws)
    child = create(aws, jsonata(A={"Type": "Wait", "Seconds": 10, "Next": "B"}, B=put(name, "child")))
    waiting = {
        "StartAt": "W",
        "States": {"W": {"Type": "Wait", "Seconds": 4, "Next": "X"}, "X": put(name, "wait")},
    }
    iterating = {
        "StartAt": "M",
        "States": {"M": {"Type": "Map", "Items": [1, 2], "ItemProcessor": waiting, "End": True}},
    }
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 4, "MaxAttempts": 9}]
    retrying = {"StartAt": "R", "States": {"R": impossible_put(name, Retry=retry)}}
    nested = {
        "StartAt": "N",
        "States": {"N": task("states:startExecution.sync:2", {"StateMachineArn": child})},
    }
    execution = start(
        aws,
        create(
            aws,
            jsonata(A={"Type": "Parallel", "Branches": [waiting, iterating, retrying, nested], "End": True}),
        ),
    )
    children = eventually(lambda: states.list_executions(stateMachineArn=child)["executions"])
    # When it is stopped
    states.stop_execution(executionArn=execution, error="Enough", cause="people said so")
    # Then it is ABORTED at once, its history ends there, and nothing inside goes on
    done = ended(aws, execution)
    assert (done.status, done.error, done.cause, done.output) == ("ABORTED", "Enough", "people said so", None)
    last = history(aws, execution)[-1]
    assert (last["type"], last["previousEventId"]) == ("ExecutionAborted", 0)
    assert last["executionAbortedEventDetails"] == {"error": "Enough", "cause": "people said so"}
    assert ended(aws, children[0]["executionArn"]).status == "ABORTED"
    time.sleep(12 / 20)
    assert item_ids(aws, name) == set()
    assert history(aws, execution)[-1] == last


def test_stopping_what_is_stopped_changes_nothing(aws: Server):
    # Given a stopped execution
    states, execution = client(aws, "stepfunctions"), start(aws, create(aws, LONG))
    first = states.stop_execution(executionArn=execution, cause="first")
    # When it is stopped again
    again = states.stop_execution(executionArn=execution, cause="second")
    # Then the first end stays
    assert again["stopDate"] == first["stopDate"]
    assert ended(aws, execution).cause == "first"
    assert types(aws, execution).count("ExecutionAborted") == 1


def test_an_execution_stopped_right_after_its_start_never_works(aws: Server):
    # Given a machine that waits first
    states, name = client(aws, "stepfunctions"), table(aws)
    machine = create(aws, jsonata(A={"Type": "Wait", "Seconds": 60, "Next": "B"}, B=put(name, "done")))
    # When ten executions are stopped as fast as can be
    executions = [start(aws, machine) for _ in range(10)]
    for execution in executions:
        states.stop_execution(executionArn=execution)
    # Then all end as ABORTED, however far the interpreter had come
    assert {ended(aws, execution).status for execution in executions} == {"ABORTED"}
    assert {types(aws, execution)[-1] for execution in executions} == {"ExecutionAborted"}
