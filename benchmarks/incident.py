"""One real incident in the sandbox: how many transitions it takes, what it costs, how soon it acts.

The emulator plays the deployed state machine with the deployed functions. Prices are AWS's public ones of a dated file.
"""

from __future__ import annotations

import io
import json
import statistics
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.rounds import BenchmarkError
from benchmarks.rows import Row, judged
from sandbox import lifecycle
from sandbox.rehearsal import THROTTLED_TABLE, Watcher, rehearse
from sandbox.server import ACCOUNT, Server
from selfright.domain.incident import Entry, EntryKind

NAMES = ("alarm_to_first_action", "transitions_per_incident", "cost_per_1000_incidents")
PRICES = Path(__file__).parent / "prices-2026-11.json"
TRANSITIONS_BUDGET = 12
BARE_RUNS = 5
PATIENCE = 60.0  # seconds of the wall
MEMORY_GB, BILLED_SECONDS = 0.5, 0.3  # template.yaml's MemorySize; a warm room with its AWS calls, taken high
FUNCTION_STATES = {
    "Choose the runbook",
    "Run the checks",
    "Choose the remedy",
    "Apply the action",
    "Judge the outcome",
    "Undo the action",
    "Close the incident",
    "Tell people",
}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/bench"
# The bare path's function: it asks AWS for one thing, and tells when.
BARE_FUNCTION = """
import time, boto3
sqs = boto3.client("sqs")
def handler(event, context):
    sqs.send_message(QueueUrl=event["detail"]["queue"], MessageBody=repr(time.time()))
"""


def rows(only: str) -> Iterator[Row]:
    if not any(name.startswith(only) for name in NAMES):
        return
    with tempfile.TemporaryDirectory(prefix="selfright-bench-") as home:
        look = _Look(Path(home))
        watcher = Watcher(look.step, look.alarm, look.entry)
        played = rehearse(THROTTLED_TABLE, Path(home), watcher, THROTTLED_TABLE.scale)
    if not played.resolved:
        raise BenchmarkError(f"the incident was not resolved: {played.case.incident.outcome}")
    (applied,) = [e.at for e in played.case.timeline if e.kind is EntryKind.ACTION_APPLIED]
    seconds = (applied - look.went_off).total_seconds() / played.scale
    bare = statistics.median(look.bare)
    note = (
        f"{bare:.2f} s bare (warm, median of {BARE_RUNS}); ours: a queue, five functions, all cold, the gates"
    )
    against = "emulator's event → execution → Lambda → API"
    yield judged("alarm_to_first_action", seconds, "wall s", against, seconds / bare, None, note)
    count = len(look.states)
    note = "a throttled table, the first remedy helps; states entered by the real execution"
    yield judged("transitions_per_incident", count, "transitions", "one", count, TRANSITIONS_BUDGET, note)
    yield cost_row(look.states, look.calls)


def cost_row(states: Sequence[str], api_calls: int) -> Row:
    """List price of 1,000 such incidents, before any free tier, and how much of it is state transitions."""
    document = json.loads(PRICES.read_text())
    price = {name: entry["usd"] for name, entry in document["prices"].items()}
    functions = sum(1 for state in states if state in FUNCTION_STATES) + 1  # and receive_signal
    gb_seconds = functions * BILLED_SECONDS * MEMORY_GB
    parts = {
        "transitions": len(states) * price["step_functions_standard_transition"],
        "lambda": functions * price["lambda_request"] + gb_seconds * price["lambda_arm64_gb_second"],
        # Every call is charged as a ledger write of two units (a transaction): the dearest that they make.
        "calls": api_calls * 2 * price["dynamodb_on_demand_write_unit"],
        "queue": 3 * price["sqs_request"],  # sent, received, deleted
    }
    thousand = 1000 * sum(parts.values())
    share = 1000 * parts["transitions"]
    note = ", ".join(f"{name} ${1000 * usd:.3f}" for name, usd in parts.items())
    note = f"{document['region']} {document['as_of']}: {note}; {functions} functions, {api_calls} AWS calls"
    return judged(
        "cost_per_1000_incidents", thousand, "USD", "its transitions alone", thousand / share, None, note
    )


class _Look:
    """Looks into the sandbox while the rehearsal has it up."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.bare: list[float] = []
        self.states: list[str] = []
        self.calls = 0
        self.went_off: datetime

    def step(self, text: str, _seconds: float) -> None:
        if text.startswith("fault"):
            self.bare = _bare_path(self._server())

    def alarm(self, name: str, state: str, _seconds: float) -> None:
        if state == "ALARM":
            (alarm,) = self._server().client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
            self.went_off = alarm["StateTransitionedTimestamp"]

    def entry(self, entry: Entry, _seconds: float) -> None:
        if entry.kind is EntryKind.INCIDENT_CLOSED:
            self.states = _entered_states(self._server())
            self.calls = _calls(self._server())

    def _server(self) -> Server:
        server = lifecycle.status(self._home).server
        if server is None:
            raise BenchmarkError("the sandbox went away")
        return server


def _entered_states(server: Server) -> list[str]:
    """The states that the execution which acted has entered, in order, when it is over."""
    client = server.client("stepfunctions")
    (machine,) = [m for m in client.list_state_machines()["stateMachines"] if m["name"].endswith("-respond")]
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for execution in client.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]:
            arn = execution["executionArn"]
            history = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
            names = [
                e["stateEnteredEventDetails"]["name"] for e in history if e["type"].endswith("StateEntered")
            ]
            if {"Apply the action", "Tell people"} <= set(names) and execution["status"] != "RUNNING":
                return names
        time.sleep(0.2)
    raise BenchmarkError("no execution acted and came to its end")


def _calls(server: Server) -> int:
    """AWS calls of all functions but the sweep, as they logged them: it looks at everything on its own schedule."""
    logs = server.client("logs")
    total = 0.0
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for event in (event for page in pages for event in page["events"]):
            if '"AwsCalls":[' in event["message"] and "Sweep" not in event["logStreamName"]:
                total += sum(json.loads(event["message"])["AwsCalls"])
    return int(total)


def _bare_path(server: Server) -> list[float]:
    """Seconds from PutEvents until the one function of a one-state execution has called AWS."""
    queue = server.client("sqs").create_queue(QueueName="bench")["QueueUrl"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", BARE_FUNCTION)
    function = server.client("lambda").create_function(
        FunctionName="bench",
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Timeout=30,
        Code={"ZipFile": packed.getvalue()},
    )["FunctionArn"]
    state = {"Type": "Task", "Resource": function, "End": True}
    machine = server.client("stepfunctions").create_state_machine(
        name="bench", roleArn=ROLE, definition=json.dumps({"StartAt": "Call", "States": {"Call": state}})
    )["stateMachineArn"]
    events = server.client("events")
    events.put_rule(Name="bench", EventPattern=json.dumps({"source": ["bench"]}))
    events.put_targets(Rule="bench", Targets=[{"Id": "bench", "Arn": machine, "RoleArn": ROLE}])
    took = [_one_bare(server, queue) for _ in range(BARE_RUNS + 1)]
    return took[1:]  # the first starts the function


def _one_bare(server: Server, queue: str) -> float:
    began = time.time()
    entry = {"Source": "bench", "DetailType": "bench", "Detail": json.dumps({"queue": queue})}
    server.client("events").put_events(Entries=[entry])
    sqs, deadline = server.client("sqs"), time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", ()):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return float(message["Body"]) - began
    raise BenchmarkError("the bare path did not come to its end")
