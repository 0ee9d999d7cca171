"""Waits and retry intervals run in sandbox time; timeouts of work in wall time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.server import Server
from tests.sandbox.emulator.state_machines import (
    client,
    history,
    impossible_put,
    jsonata,
    jsonpath,
    pass_,
    play,
    table,
    task,
    types,
)

SCALE = 20.0  # of the fixture `aws`
WORK = 0.3  # generous bound, in wall seconds, for everything but waiting
CONDITIONAL = "DynamoDb.ConditionalCheckFailedException"


def in_sandbox(aws: Server, seconds: float) -> str:
    moment = datetime.fromtimestamp(aws.now() + seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize(
    "wait",
    [
        {"Seconds": 6},
        {"SecondsPath": "$.seconds"},
        {"QueryLanguage": "JSONata", "Seconds": "{% $states.input.seconds %}"},
    ],
)
def test_a_wait_of_seconds_lasts_sandbox_seconds(aws: Server, wait: dict[str, Any]):
    # Given a wait of six seconds / When it runs twenty times faster
    done = play(aws, jsonpath(A={"Type": "Wait", "End": True, **wait}), {"seconds": 6})
    # Then it takes a twentieth
    assert done.status == "SUCCEEDED"
    assert 6 / SCALE <= done.seconds < 6 / SCALE + WORK


@pytest.mark.parametrize("field", ["TimestampPath", "Timestamp"])
def test_a_wait_until_a_moment_compares_with_the_sandbox_clock(aws: Server, field: str):
    # Given a moment eight sandbox seconds ahead
    wait = {"Type": "Wait", "End": True, field: "$.until"}
    if field == "Timestamp":
        wait |= {"QueryLanguage": "JSONata", field: "{% $states.input.until %}"}
    until = aws.now() + 8
    # When it runs
    done = play(aws, jsonpath(A=wait), {"until": in_sandbox(aws, 8)})
    # Then it ends at that moment, not after
    assert done.status == "SUCCEEDED"
    assert 0 <= aws.now() - until < 4 * WORK * SCALE
    assert done.seconds < 8 / SCALE + WORK


def test_a_wait_for_the_past_is_over_at_once(aws: Server):
    # Given a moment an hour ago / When it runs
    done = play(
        aws, jsonpath(A={"Type": "Wait", "TimestampPath": "$.t", "End": True}), {"t": in_sandbox(aws, -3600)}
    )
    # Then nothing waits
    assert done.status == "SUCCEEDED"
    assert done.seconds < WORK


def test_states_read_the_sandbox_clock(aws: Server):
    # Given a state that asks for the time in every way there is
    output = {
        "now": "{% $toMillis($now()) %}",
        "millis": "{% $millis() %}",
        "year": "{% $now('[Y0001]') %}",
        "start": "{% $toMillis($states.context.Execution.StartTime) %}",
        "entered": "{% $toMillis($states.context.State.EnteredTime) %}",
    }
    before = aws.now()
    # When it runs
    told = play(aws, jsonata(A=pass_(Output=output))).output
    after = aws.now()
    # Then each lies between before and after
    assert told.pop("year") == in_sandbox(aws, 0)[:4]
    assert all(before - 1 <= moment / 1000 <= after for moment in told.values())


def pauses(aws: Server, execution: str) -> list[float]:
    """Sandbox seconds between each failure and the next attempt."""
    events = history(aws, execution)
    failures = [event["timestamp"] for event in events if event["type"] == "TaskFailed"]
    attempts = [event["timestamp"] for event in events if event["type"] == "TaskScheduled"]
    return [
        (after - before).total_seconds() * SCALE
        for before, after in zip(failures, attempts[1:], strict=False)
    ]


def retried(aws: Server, **retry: Any) -> list[float]:
    retrier = {"ErrorEquals": [CONDITIONAL], "IntervalSeconds": 2, "MaxAttempts": 3, **retry}
    done = play(aws, jsonata(A=impossible_put(table(aws), Retry=[retrier])))
    assert (done.status, done.error) == ("FAILED", CONDITIONAL)
    return pauses(aws, done.arn)


def test_retries_back_off_in_sandbox_time_up_to_the_longest_delay(aws: Server):
    # Given intervals that double from two seconds, at most five / When every attempt fails
    found = retried(aws, BackoffRate=2, MaxDelaySeconds=5)
    # Then three retries follow after 2, 4 and 5 (not 8) seconds
    assert found == [pytest.approx(n, abs=WORK * SCALE / 2) for n in (2, 4, 5)]
    assert all(pause >= n for pause, n in zip(found, (2, 4, 5), strict=True))


def test_full_jitter_stays_below_the_interval_and_varies(aws: Server):
    # Given a fixed interval of four seconds with full jitter / When six retries run
    found = retried(aws, IntervalSeconds=4, BackoffRate=1, MaxAttempts=6, JitterStrategy="FULL")
    # Then pauses are anything up to the interval
    assert max(found) < 4 + WORK * SCALE / 2
    assert min(found) < 3.5
    assert len({round(pause, 1) for pause in found}) > 1


def test_a_task_that_runs_too_long_times_out_in_wall_time(aws: Server):
    # Given a task that waits for a token nobody sends, with a second of time
    queue = client(aws, "sqs").create_queue(QueueName="unanswered")["QueueUrl"]
    arguments = {"QueueUrl": queue, "MessageBody": "{% $states.context.Task.Token %}"}
    machine = jsonata(
        A=task(
            "sqs:sendMessage.waitForTaskToken",
            arguments,
            TimeoutSeconds=1,
            Catch=[
                {"ErrorEquals": ["States.Timeout"], "Next": "B", "Output": "{% $states.errorOutput.Error %}"}
            ],
        ),
        B=pass_(),
    )
    # When it runs
    done = play(aws, machine)
    # Then the catch for States.Timeout takes it after one real second
    assert done.output == "States.Timeout"
    assert 1 <= done.seconds < 1 + WORK
    assert "TaskTimedOut" in types(aws, done.arn)


def test_an_execution_that_runs_too_long_times_out_and_cannot_be_caught(aws: Server):
    # Given a machine with a second of time for a long wait inside branches
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    machine = jsonpath(
        A={
            "Type": "Parallel",
            "Branches": [wait, wait],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}],
            "End": True,
        },
        B=pass_(),
    )
    # When it runs
    done = play(aws, {**machine, "TimeoutSeconds": 1})
    # Then it is TIMED_OUT, and the history says so last
    assert (done.status, done.error, done.output) == ("TIMED_OUT", None, None)
    assert 1 <= done.seconds < 1 + WORK
    assert types(aws, done.arn)[-1] == "ExecutionTimedOut"
