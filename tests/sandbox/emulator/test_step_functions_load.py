"""A burst of events starts a burst of executions; all succeed, and nothing stays behind in the process."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from pathlib import Path

from sandbox.server import Server
from tests.sandbox.emulator import lambda_functions
from tests.sandbox.emulator.state_machines import (
    client,
    create,
    ended,
    eventually,
    item_ids,
    jsonata,
    pass_,
    put,
    start,
    table,
    task,
)

BURST = 200


def threads(aws: Server) -> int:
    status = Path(f"/proc/{aws.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Threads:")))


def test_every_event_of_a_burst_becomes_an_execution_that_succeeds(aws: Server):
    # Given a rule that starts a machine of two states for each order
    bus, states, name = client(aws, "events"), client(aws, "stepfunctions"), table(aws)
    machine = create(aws, jsonata(A=pass_(Next="B"), B=put(name, "{% $states.input.detail.id %}")))
    rule = f"rule-{uuid.uuid4().hex[:12]}"
    bus.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    bus.put_targets(
        Rule=rule, Targets=[{"Id": "machine", "Arn": machine, "RoleArn": "arn:aws:iam::000000000000:role/r"}]
    )
    before = threads(aws)
    # When two hundred come at once
    for first in range(0, BURST, 10):
        entries = [
            {"Source": rule, "DetailType": "order", "Detail": json.dumps({"id": str(first + n)})}
            for n in range(10)
        ]
        assert bus.put_events(Entries=entries)["FailedEntryCount"] == 0

    def statuses() -> Counter[str]:
        listed = states.list_executions(stateMachineArn=machine)["executions"]
        return Counter(execution["status"] for execution in listed)

    # Then each has been carried out
    eventually(statuses, lambda counts: counts["RUNNING"] == 0 and counts.total() >= BURST, patience=30)
    assert statuses() == {"SUCCEEDED": BURST}
    assert item_ids(aws, name) == {str(n) for n in range(BURST)}
    # And no execution keeps a thread (the server's own pool may have grown by its few)
    eventually(lambda: threads(aws), lambda count: count < before + BURST / 10)


def test_work_that_was_given_up_leaves_no_thread(aws: Server):
    # Given executions whose branches wait for tokens and moments that will never come, beside one that fails
    url, _ = lambda_functions.queue(aws)
    asking = task(
        "sqs:sendMessage.waitForTaskToken",
        {"QueueUrl": url, "MessageBody": "{% $states.context.Task.Token %}"},
    )
    waiting = {"Type": "Wait", "Seconds": 36_000, "End": True}
    mapped = {
        "Type": "Map",
        "Items": [1, 2],
        "ItemProcessor": {"StartAt": "W", "States": {"W": waiting}},
        "End": True,
    }
    late = {"Type": "Wait", "Seconds": 1, "Next": "F"}
    failing = {"StartAt": "L", "States": {"L": late, "F": {"Type": "Fail"}}}
    branches = [failing, *({"StartAt": "S", "States": {"S": state}} for state in (asking, waiting, mapped))]
    machine = create(aws, jsonata(A={"Type": "Parallel", "Branches": branches, "End": True}))
    before = threads(aws)
    # When fifteen have failed
    executions = [start(aws, machine) for _ in range(15)]
    assert {ended(aws, execution).status for execution in executions} == {"FAILED"}
    # Then their threads are gone
    eventually(lambda: threads(aws), lambda count: count < before + 10)
