"""Parallel and Map: fail fast, bounded, in order; Distributed Map with readers, writer and tolerated failures."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from sandbox.server import Server
from tests.sandbox.emulator.state_machines import (
    Definition,
    client,
    item_ids,
    jsonata,
    pass_,
    play,
    put,
    table,
    types,
)

DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
FAIL = {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}


def scope(start: str = "In", **states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": start, "States": states}


def fails_when(condition: str) -> dict[str, Any]:
    """A processor that fails for some items and gives the others back."""
    return scope(
        In={"Type": "Choice", "Choices": [{"Condition": condition, "Next": "Fail"}], "Default": "Fine"},
        Fail=FAIL,
        Fine=pass_(),
    )


def map_(items: Any, processor: dict[str, Any], **fields: Any) -> Definition:
    return jsonata(A={"Type": "Map", "Items": items, "ItemProcessor": processor, "End": True, **fields})


def test_the_first_failing_branch_ends_parallel_and_its_other_branches(aws: Server):
    # Given a branch that fails at once, and one that would wait ten minutes and then write
    name = table(aws)
    slow = scope(In={"Type": "Wait", "Seconds": 2, "Next": "Late"}, Late=put(name, "late"))
    machine = jsonata(A={"Type": "Parallel", "Branches": [scope(In=FAIL), slow], "End": True})
    # When it runs
    done = play(aws, machine)
    # Then it fails at once, by the branch's error, and the late write never comes
    assert (done.status, done.error, done.cause) == ("FAILED", "Broken", "on purpose")
    assert done.seconds < 2 / 20
    time.sleep(3 / 20)
    assert item_ids(aws, name) == set()
    assert types(aws, done.arn)[-2:] == ["ParallelStateFailed", "ExecutionFailed"]


def test_the_first_failing_iteration_ends_map_and_its_other_iterations(aws: Server):
    # Given items of which the second fails, the others wait and then write
    name = table(aws)
    processor = scope(
        In={
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input = 2 %}", "Next": "Fail"}],
            "Default": "Wait",
        },
        Fail=FAIL,
        Wait={"Type": "Wait", "Seconds": 2, "Next": "Late"},
        Late=put(name, "{% $string($states.input) %}"),
    )
    # When it runs
    done = play(aws, map_([1, 2, 3], processor))
    # Then
    assert (done.status, done.error) == ("FAILED", "Broken")
    assert done.seconds < 2 / 20
    time.sleep(3 / 20)
    assert item_ids(aws, name) == set()


def test_map_keeps_order_selects_and_bounds_its_iterations(aws: Server):
    # Given eight items, two at a time, each waiting four sandbox seconds
    processor = scope(In={"Type": "Wait", "Seconds": 4, "End": True})
    selector = {
        "n": "{% $states.context.Map.Item.Value %}",
        "i": "{% $states.context.Map.Item.Index %}",
        "x": "{% $states.input.x %}",
    }
    machine = map_("{% $states.input.items %}", processor, ItemSelector=selector, MaxConcurrency=2)
    # When it runs
    done = play(aws, machine, {"items": [8, 7, 6, 5, 4, 3, 2, 1], "x": "same"})
    # Then four rounds pass, and results stand in the order of the items
    assert done.output == [{"n": 8 - i, "i": i, "x": "same"} for i in range(8)]
    assert 4 * 4 / 20 <= done.seconds < 8 * 4 / 20


def test_map_takes_more_items_than_a_stack_is_deep(aws: Server):
    # Given 1,100 items (the interpreter recursed once per item) / When they run
    machine = map_("{% [1..1100] %}", scope(In=pass_()), MaxConcurrency=1)
    done = play(
        aws,
        {**machine, "States": {"A": {**machine["States"]["A"], "Output": "{% $count($states.result) %}"}}},
    )
    # Then every item comes out
    assert (done.status, done.output) == ("SUCCEEDED", 1100)


def test_an_empty_map_gives_an_empty_list(aws: Server):
    # Given / When / Then
    assert play(aws, map_([], scope(In=pass_()))).output == []


@pytest.mark.parametrize(
    ("tolerance", "status"),
    [
        ({}, "FAILED"),
        ({"ToleratedFailureCount": 1}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 20}, "FAILED"),
        ({"ToleratedFailurePercentage": 25}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 24.5}, "FAILED"),
    ],
)
def test_a_distributed_map_fails_above_its_tolerance(aws: Server, tolerance: dict[str, Any], status: str):
    # Given four items of which one fails
    processor = {**fails_when("{% $states.input = 2 %}"), **DISTRIBUTED}
    # When they run as child executions
    done = play(aws, map_([1, 2, 3, 4], processor, **tolerance))
    # Then one in four is a quarter
    assert done.status == status
    assert done.error == (None if status == "SUCCEEDED" else "States.ExceedToleratedFailureThreshold")
    assert ("MapRunFailed" in types(aws, done.arn)) == (status == "FAILED")


@pytest.mark.parametrize(
    ("body", "reader"),
    [
        (b'[{"k": "a"}, {"k": "b"}]', {"InputType": "JSON"}),
        (b"k\na\nb\n", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}),
    ],
)
def test_a_distributed_map_reads_its_items_from_an_object(aws: Server, body: bytes, reader: dict[str, str]):
    # Given a file of two items
    storage, bucket = client(aws, "s3"), f"map-{uuid.uuid4().hex[:12]}"
    storage.create_bucket(Bucket=bucket)
    storage.put_object(Bucket=bucket, Key="items", Body=body)
    machine = jsonata(
        A={
            "Type": "Map",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": reader,
                "Arguments": {"Bucket": "{% $states.input.bucket %}", "Key": "items"},
            },
            "ItemProcessor": {**scope(In=pass_(Output="{% $states.input.k & '!' %}")), **DISTRIBUTED},
            "End": True,
        }
    )
    # When it runs
    done = play(aws, machine, {"bucket": bucket})
    # Then each item had a child
    assert done.output == ["a!", "b!"], done.cause


def test_a_list_that_cannot_be_read_fails_its_map_by_a_name_that_can_be_caught(aws: Server):
    # Given a Map over an object that is not there
    storage, bucket = client(aws, "s3"), f"map-{uuid.uuid4().hex[:12]}"
    storage.create_bucket(Bucket=bucket)
    machine = jsonata(
        A={
            "Type": "Map",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Arguments": {"Bucket": bucket, "Key": "gone"},
            },
            "ItemProcessor": {**scope(In=pass_()), **DISTRIBUTED},
            "Catch": [
                {"ErrorEquals": ["States.ALL"], "Next": "B", "Output": "{% $states.errorOutput.Error %}"}
            ],
            "End": True,
        },
        B=pass_(),
    )
    # When it runs
    done = play(aws, machine)
    # Then its failure was caught
    assert (done.status, done.output) == ("SUCCEEDED", "States.ItemReaderFailed")
