"""Many invocations on a small machine: they queue for a worker, nest without deadlock, and keep AWS's limits."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from sandbox.server import Server
from tests.sandbox.emulator.lambda_functions import (
    arn,
    call,
    create,
    eventually,
    log_lines,
    metric,
    printed,
)

WORKERS = 8  # the default of SELFRIGHT_SANDBOX_WORKERS

TIMED = """
import json, os, time
def handler(event, context):
    began = time.time()
    time.sleep(0.02)
    print(json.dumps({"number": event["number"], "pid": os.getpid(), "began": began, "ended": time.time()}))
"""
NESTED = """
import json, boto3
client = boto3.client("lambda")
def handler(event, context):
    answer = client.invoke(FunctionName=event["then"][0], Payload=json.dumps({"then": event["then"][1:]}))
    return 1 + json.loads(answer["Payload"].read())
"""


def test_a_hundred_asynchronous_invocations_succeed_on_eight_workers(aws: Server):
    # Given a function that takes 20 ms
    name, client = create(aws, TIMED), aws.client("lambda")
    # When a hundred events are queued at once
    for number in range(100):
        client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"number": number}))
    runs = eventually(lambda: printed(aws, name), lambda found: len(found) >= 100, 20)
    # Then each ran once, in at most eight processes, at most eight at a time
    assert sorted(run["number"] for run in runs) == list(range(100))
    assert len({run["pid"] for run in runs}) <= WORKERS
    moments = sorted([(run["began"], 1) for run in runs] + [(run["ended"], -1) for run in runs])
    running = [sum(change for _, change in moments[: index + 1]) for index in range(len(moments))]
    assert 1 < max(running) <= WORKERS


def test_functions_that_call_functions_do_not_wait_for_themselves(aws: Server):
    # Given more callers at once than there are workers, each three functions deep
    outer, middle = (create(aws, NESTED, Timeout=25) for _ in range(2))
    inner = create(aws, "def handler(event, context): return 1")
    chain = {"then": [middle, inner]}
    # When they all run
    with ThreadPoolExecutor(WORKERS + 4) as callers:
        results = list(callers.map(lambda _: call(aws, outer, chain)[0], range(WORKERS + 4)))
    # Then every chain comes back
    assert results == [3] * (WORKERS + 4)


def test_a_chain_of_calls_is_stopped_after_sixteen(aws: Server):
    # Given a handler that calls its own function and lets errors through
    code = (
        "import boto3\n"
        "client = boto3.client('lambda')\n"
        "def handler(event, context):\n"
        "    client.invoke(FunctionName=context.function_name)\n"
    )
    name, client = create(aws, code), aws.client("lambda")
    # When the fourteenth function of a chain calls it
    client.meta.events.register(
        "before-call.lambda.Invoke",
        lambda params, **_: params["headers"].update({"X-Amzn-Trace-Id": "Lineage=1:0a1b2c3d:14"}),
    )
    client.invoke(FunctionName=name)
    # Then it runs as the fifteenth and the sixteenth, and Lambda drops the call after that
    lines = log_lines(aws, name)
    assert sum(line.startswith("START") for line in lines) == 2
    assert sum(line.startswith("[ERROR] RecursiveInvocationException") for line in lines) == 1


def test_reserved_concurrency_zero_refuses_and_counts_a_throttle(aws: Server):
    client = aws.client("lambda", retries={"max_attempts": 0})
    name = create(aws, "def handler(event, context): return 1")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    with pytest.raises(ClientError) as refused:
        client.invoke(FunctionName=name)

    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    of_function = {"FunctionName": name}
    assert metric(aws, "Throttles", of_function) == 1
    assert metric(aws, "Invocations", of_function) == 0
    assert metric(aws, "Errors", of_function) == 0


def test_reserved_concurrency_counts_the_versions_of_an_alias(aws: Server):
    client = aws.client("lambda", retries={"max_attempts": 0})
    name = create(aws, "def handler(event, context): return 1")
    version = client.publish_version(FunctionName=name)["Version"]
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName=f"{arn(name)}:live")
