"""What an execution leaves behind: history, log entries, metrics, status-change events."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.server import ACCOUNT, REGION, Server
from tests.sandbox.emulator import lambda_functions
from tests.sandbox.emulator.state_machines import (
    ROLE,
    client,
    create,
    ended,
    eventually,
    history,
    impossible_put,
    jsonata,
    pass_,
    put,
    start,
    table,
    types,
)

FAIL = {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}
WAIT = {"Type": "Wait", "Seconds": 3600, "End": True}


def test_the_history_has_awss_shape(aws: Server):
    # Given a machine of two states
    name = table(aws)
    machine = create(
        aws, jsonata(A=put(name, "x", Assign={"n": 1}, Output="{% $states.input %}", Next="B"), B=pass_())
    )
    # When it ran
    done = ended(aws, start(aws, machine, {"k": "v"}))
    # Then each event names the one before it and carries its details
    events = history(aws, done.arn)
    assert [(event["id"], event["previousEventId"], event["type"]) for event in events] == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "TaskStateEntered"),
        (3, 2, "TaskScheduled"),
        (4, 3, "TaskStarted"),
        (5, 4, "TaskSucceeded"),
        (6, 5, "TaskStateExited"),
        (7, 6, "PassStateEntered"),
        (8, 7, "PassStateExited"),
        (9, 8, "ExecutionSucceeded"),
    ]
    assert events[0]["executionStartedEventDetails"] == {
        "input": '{"k": "v"}',
        "inputDetails": {"truncated": False},
        "roleArn": ROLE,
    }
    scheduled = events[2]["taskScheduledEventDetails"]
    assert (scheduled["resourceType"], scheduled["resource"], scheduled["region"]) == (
        "aws-sdk:dynamodb",
        "putItem",
        REGION,
    )
    assert json.loads(scheduled["parameters"])["TableName"] == name
    assert events[5]["stateExitedEventDetails"]["assignedVariables"] == {"n": "1"}
    assert events[8]["executionSucceededEventDetails"]["output"] == '{"k":"v"}'
    assert abs((datetime.now(UTC) - events[8]["timestamp"]).total_seconds()) < 60


def test_the_history_of_a_running_execution_can_be_read_in_pages_and_backwards(aws: Server):
    # Given an execution that waits after one state
    states = client(aws, "stepfunctions")
    execution = start(aws, create(aws, jsonata(A=pass_(Next="B"), B=WAIT)))
    eventually(lambda: types(aws, execution), lambda it: it[-1:] == ["WaitStateEntered"])
    # When it is read two events at a time, and from its end
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution, maxResults=2)
    paged = [event["type"] for page in pages for event in page["events"]]
    backwards = states.get_execution_history(executionArn=execution, reverseOrder=True)["events"]
    # Then both are whole
    assert paged == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "WaitStateEntered"]
    assert [event["type"] for event in backwards] == paged[::-1]
    states.stop_execution(executionArn=execution)


def log_group(aws: Server) -> tuple[str, str]:
    name = f"/machines/{uuid.uuid4().hex[:12]}"
    client(aws, "logs").create_log_group(logGroupName=name)
    return name, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"


def entries(aws: Server, group: str) -> list[dict[str, Any]]:
    found = client(aws, "logs").filter_log_events(logGroupName=group)["events"]
    return [json.loads(event["message"]) for event in found]


def logging(group_arn: str, level: str, *, data: bool = True) -> dict[str, Any]:
    destinations = [{"cloudWatchLogsLogGroup": {"logGroupArn": group_arn}}]
    return {"level": level, "includeExecutionData": data, "destinations": destinations}


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (
            "ALL",
            [
                "ExecutionStarted",
                "TaskStateEntered",
                "TaskScheduled",
                "TaskStarted",
                "TaskFailed",
                "ExecutionFailed",
            ],
        ),
        ("ERROR", ["TaskFailed", "ExecutionFailed"]),
        ("FATAL", ["ExecutionFailed"]),
        ("OFF", []),
    ],
)
def test_the_log_level_chooses_the_entries(aws: Server, level: str, expected: list[str]):
    # Given a machine that logs at a level, and fails
    group, arn = log_group(aws)
    machine = create(aws, jsonata(A=impossible_put(table(aws))), loggingConfiguration=logging(arn, level))
    # When it runs
    done = ended(aws, start(aws, machine))
    # Then the log group holds the events of that level
    found = entries(aws, group)
    assert [entry["type"] for entry in found] == expected
    assert {entry["execution_arn"] for entry in found} <= {done.arn}


def test_data_stays_out_of_the_log_unless_asked_for(aws: Server):
    # Given two machines that log everything, one of them with data
    groups = [log_group(aws) for _ in range(2)]
    for (_, arn), data in zip(groups, (False, True), strict=True):
        machine = create(aws, jsonata(A=pass_()), loggingConfiguration=logging(arn, "ALL", data=data))
        # When both run
        ended(aws, start(aws, machine, {"secret": 1}))
    # Then only one log holds the input
    without, with_data = (json.dumps(entries(aws, name)) for name, _ in groups)
    assert "secret" not in without
    assert "secret" in with_data


def test_a_stop_is_the_last_entry_of_the_log(aws: Server):
    # Given an execution that waits
    group, arn = log_group(aws)
    execution = start(aws, create(aws, jsonata(A=WAIT), loggingConfiguration=logging(arn, "ALL")))
    eventually(lambda: types(aws, execution), lambda it: it[-1:] == ["WaitStateEntered"])
    # When it is stopped
    client(aws, "stepfunctions").stop_execution(executionArn=execution, cause="enough")
    # Then
    assert [entry["type"] for entry in entries(aws, group)][-2:] == ["WaitStateEntered", "ExecutionAborted"]
    assert entries(aws, group)[-1]["details"] == {"cause": "enough"}


def metric(aws: Server, machine: str, name: str, statistic: str = "Sum") -> float:
    now = datetime.fromtimestamp(aws.now(), UTC)
    points = client(aws, "cloudwatch").get_metric_statistics(
        Namespace="AWS/States",
        MetricName=name,
        Dimensions=[{"Name": "StateMachineArn", "Value": machine}],
        StartTime=datetime.fromtimestamp(now.timestamp() - 3600, UTC),
        EndTime=datetime.fromtimestamp(now.timestamp() + 3600, UTC),
        Period=7200,
        Statistics=[statistic],
    )["Datapoints"]
    return float(sum(point[statistic] for point in points))


def test_executions_are_counted_by_how_they_end(aws: Server):
    # Given a machine that ends in each of four ways
    fork = {
        "Type": "Choice",
        "Choices": [
            {"Condition": "{% $states.input.end = 'fail' %}", "Next": "Fail"},
            {"Condition": "{% $states.input.end = 'wait' %}", "Next": "Wait"},
        ],
        "Default": "Brief",
    }
    brief = {"Type": "Wait", "Seconds": 10, "End": True}
    definition = {**jsonata(A=fork, Fail=FAIL, Wait=WAIT, Brief=brief), "TimeoutSeconds": 1}
    machine = create(aws, definition)
    # When it runs five times
    executions = [start(aws, machine, {"end": end}) for end in ("fail", "wait", "wait", "", "")]
    client(aws, "stepfunctions").stop_execution(executionArn=executions[2])
    statuses = [ended(aws, execution).status for execution in executions]
    # Then the metrics say so, and the time counts in sandbox milliseconds
    assert statuses == ["FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED", "SUCCEEDED"]
    names = ("Started", "Failed", "TimedOut", "Aborted", "Succeeded")
    counts = {name: metric(aws, machine, f"Executions{name}") for name in names}
    assert counts == {"Started": 5, "Failed": 1, "TimedOut": 1, "Aborted": 1, "Succeeded": 2}
    assert 20_000 <= metric(aws, machine, "ExecutionTime", "Maximum") < 60_000  # the one that timed out


def test_every_change_of_status_is_an_event_on_the_bus(aws: Server):
    # Given a rule that sends the status changes of one machine to a queue
    states, bus, sqs = client(aws, "stepfunctions"), client(aws, "events"), client(aws, "sqs")
    url, arn = lambda_functions.queue(aws)
    fork = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input.wait %}", "Next": "Wait"}],
        "Default": "Fail",
    }
    machine = create(aws, {**jsonata(A=fork, Wait=WAIT, Fail=FAIL), "TimeoutSeconds": 1}, publish=True)
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine]}}
    rule = f"rule-{uuid.uuid4().hex[:12]}"
    bus.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    bus.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    # When one execution fails, one times out and one (of a version) is stopped
    failed = start(aws, machine, {"wait": False})
    timed_out = start(aws, machine, {"wait": True})
    aborted = start(aws, f"{machine}:1", {"wait": True})
    states.stop_execution(executionArn=aborted, error="Enough")
    seen: dict[tuple[str, str], dict[str, Any]] = {}

    def collect() -> int:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            assert event["detail-type"] == "Step Functions Execution Status Change"
            assert event["resources"] == [event["detail"]["executionArn"]]
            seen[event["detail"]["executionArn"], event["detail"]["status"]] = event["detail"]
        return len(seen)

    eventually(collect, lambda count: count >= 6)
    # Then each start and each end is there, with what AWS puts into them
    assert set(seen) == {
        *((execution, "RUNNING") for execution in (failed, timed_out, aborted)),
        (failed, "FAILED"),
        (timed_out, "TIMED_OUT"),
        (aborted, "ABORTED"),
    }
    began, end = seen[failed, "RUNNING"], seen[failed, "FAILED"]
    assert (began["input"], began["stopDate"], began["redriveStatus"]) == (
        '{"wait": false}',
        None,
        "NOT_REDRIVABLE",
    )
    assert (end["error"], end["cause"], end["output"], end["redriveStatus"]) == (
        "Broken",
        "on purpose",
        None,
        "REDRIVABLE",
    )
    assert abs(end["stopDate"] / 1000 - time.time()) < 60
    assert seen[aborted, "ABORTED"]["stateMachineVersionArn"] == f"{machine}:1"
    assert seen[aborted, "ABORTED"]["error"] == "Enough"
    assert seen[timed_out, "TIMED_OUT"]["stateMachineVersionArn"] is None
