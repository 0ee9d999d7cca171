"""Errors, limits and log lines of Lambda functions, as a caller and CloudWatch Logs see them on AWS."""

from __future__ import annotations

import base64
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.server import Server
from tests.sandbox.emulator.lambda_functions import call, create, log_lines, publish

TROUBLED = """
import os, sys, time
from decimal import Decimal

class DependencyDownError(Exception):
    pass

def handler(event, context):
    match event.get("do"):
        case "raise": raise DependencyDownError("the ledger does not answer")
        case "sleep": time.sleep(30)
        case "eat":
            memory = bytearray(event["megabytes"] << 20)
            memory[::4096] = b"1" * len(memory[::4096])
        case "exit": os._exit(3)
        case "leave": sys.exit("enough")
        case "set": return {1, 2}
        case "decimals": return {"whole": Decimal("2"), "part": Decimal("2.5")}
        case "remaining": return context.get_remaining_time_in_millis()
    return os.getpid()
"""


@pytest.fixture(scope="module")
def troubled(aws: Server) -> str:
    return create(aws, TROUBLED, Timeout=1)


def test_an_exception_is_named_and_the_environment_survives(aws: Server, troubled: str):
    # Given a warm environment
    before, _ = call(aws, troubled)
    # When its handler raises
    error, answer = call(aws, troubled, {"do": "raise"})
    after, _ = call(aws, troubled)
    # Then the caller reads the class, the message and the frames of user code, and the process is the same
    assert answer["FunctionError"] == "Unhandled"
    assert error["errorType"] == "DependencyDownError"
    assert error["errorMessage"] == "the ledger does not answer"
    assert len(error["stackTrace"]) == 1
    assert error["stackTrace"][0].startswith(
        '  File "/var/task/app.py", line 10, in handler\n    case "raise"'
    )
    assert after == before


@pytest.mark.parametrize(
    ("code", "handler", "error_type", "message"),
    [
        ("import nowhere", "app.handler", "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'nowhere'"),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def broken(:", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': invalid syntax (app.py, line 1)"),
        ("raise KeyError('TABLE')", "app.handler", "KeyError", "'TABLE'"),
    ],
)  # fmt: skip
def test_a_function_that_cannot_be_loaded_says_why(
    aws: Server, code: str, handler: str, error_type: str, message: str
):
    name = create(aws, code, Handler=handler)

    error, answer = call(aws, name)

    assert answer["FunctionError"] == "Unhandled"
    assert (error["errorType"], error["errorMessage"]) == (error_type, message)


@pytest.mark.parametrize(
    ("event", "error_type", "text"),
    [
        ({"do": "sleep"}, "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ({"do": "eat", "megabytes": 300}, "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"),
        ({"do": "exit"}, "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ({"do": "leave"}, "Runtime.ExitError", "Runtime exited with error: exit status 1"),
    ],
)
def test_what_ends_an_environment_is_told_and_the_next_call_gets_a_new_one(
    aws: Server, troubled: str, event: dict[str, object], error_type: str, text: str
):
    before, _ = call(aws, troubled)

    error, answer = call(aws, troubled, event)
    after, _ = call(aws, troubled)

    assert answer["FunctionError"] == "Unhandled"
    assert error["errorType"] == error_type
    assert re.fullmatch(rf"RequestId: [0-9a-f-]{{36}} Error: {re.escape(text)}", error["errorMessage"])
    assert after != before


def test_a_handler_that_prints_for_ever_still_times_out(aws: Server):
    name = create(aws, "def handler(event, context):\n    while True: print('x' * 1000)", Timeout=1)

    error, _ = call(aws, name)

    assert error["errorType"] == "Sandbox.Timedout"


def test_the_memory_size_leaves_room_for_boto3_with_clients(aws: Server):
    # 128 MB is the least AWS offers, and there boto3 with a few clients starts
    code = "import boto3\nCLIENTS = [boto3.client(n) for n in ('dynamodb', 'sqs')]\ndef handler(e, c): return len(CLIENTS)"

    result, answer = call(aws, create(aws, code, MemorySize=128))

    assert "FunctionError" not in answer
    assert result == 2


def test_a_result_that_is_no_json_is_refused_but_decimals_are_numbers(aws: Server, troubled: str):
    error, _ = call(aws, troubled, {"do": "set"})
    numbers, _ = call(aws, troubled, {"do": "decimals"})

    assert error["errorType"] == "Runtime.MarshalError"
    assert error["errorMessage"] == "Unable to marshal response: Object of type set is not JSON serializable"
    assert numbers == {"whole": 2, "part": 2.5}


def test_the_context_counts_down_to_the_timeout(aws: Server, troubled: str):
    remaining, _ = call(aws, troubled, {"do": "remaining"})

    assert 0 < remaining <= 1000


def test_log_lines_reach_the_functions_log_group_with_measured_memory(aws: Server):
    # Given a handler that holds 100 MB, prints and uses logging
    code = (
        "import logging\n"
        "def handler(event, context):\n"
        "    memory = bytearray(100 << 20)\n"
        "    memory[::4096] = b'1' * len(memory[::4096])\n"
        "    print('printed', len(memory))\n"
        "    logging.getLogger('shop').warning('low stock')\n"
    )
    name = create(aws, code)
    # When it runs
    _, answer = call(aws, name, LogType="Tail")
    # Then its log group holds the five lines in AWS's form, and the caller the same tail
    start, text, warning, end, report = log_lines(aws, name)
    request = start.split()[2]
    assert start == f"START RequestId: {request} Version: $LATEST\n"
    assert text == f"printed {100 << 20}\n"
    assert re.fullmatch(rf"\[WARNING\]\t[\d-]+T[\d:.]+Z\t{request}\tlow stock\n", warning)
    assert end == f"END RequestId: {request}\n"
    figures = re.fullmatch(
        rf"REPORT RequestId: {request}\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\t"
        r"Memory Size: 256 MB\tMax Memory Used: (\d+) MB\tInit Duration: [\d.]+ ms\t\n",
        report,
    )
    assert figures
    duration, billed, used = float(figures[1]), int(figures[2]), int(figures[3])
    assert duration <= billed < duration + 1
    assert 100 < used < 140
    assert base64.b64decode(answer["LogResult"]).decode().splitlines()[1] == text.rstrip()


def test_a_timeout_and_a_killed_process_are_reported_in_the_log(aws: Server, troubled: str):
    call(aws, troubled, {"do": "sleep"})
    call(aws, troubled, {"do": "eat", "megabytes": 300})

    lines = log_lines(aws, troubled)
    timed_out = next(line for line in lines if "Status: timeout" in line)
    killed = next(line for line in lines if "Error Type: Runtime.OutOfMemory" in line)

    assert "Duration: 1000.00 ms\tBilled Duration: 1000 ms" in timed_out
    assert "Memory Size: 256 MB\tMax Memory Used: 256 MB" in killed
    assert any(line.endswith("Task timed out after 1.00 seconds\n") for line in lines)


def test_an_invocation_under_way_survives_an_update_of_its_function(aws: Server):
    # Given a handler that is running
    slow = "import time\ndef handler(event, context):\n    time.sleep(0.5)\n    return 'old'"
    name = create(aws, slow)
    with ThreadPoolExecutor(1) as caller:
        running = caller.submit(call, aws, name)
        time.sleep(0.2)  # on the wall: long enough to begin, too short to end
        # When the function gets new code meanwhile
        publish(aws, name, "def handler(event, context): return 'new'")
        after, _ = call(aws, name)
        before, answer = running.result()
    # Then the running one ends as it began, and the next call runs the new code
    assert (before, after) == ("old", "new")
    assert "FunctionError" not in answer


def test_functions_that_share_a_log_group_have_streams_with_their_names(aws: Server):
    group, logs = f"/selfright/{uuid.uuid4().hex}", aws.client("logs")
    name = create(aws, "def handler(event, context): ...", LoggingConfig={"LogGroup": group})

    call(aws, name)

    streams = [
        found["logStreamName"] for found in logs.describe_log_streams(logGroupName=group)["logStreams"]
    ]
    assert len(streams) == 1
    assert re.fullmatch(rf"\d{{4}}/\d\d/\d\d/{name}\[\$LATEST\]\[[0-9a-f]{{32}}\]", streams[0])
    assert log_lines(aws, name) == []
