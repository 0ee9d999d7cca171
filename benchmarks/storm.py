"""storm: alarms of many problems at once, each told ten times, through the real queue, function and ledger.

The control plane is deployed as it is, with two changes made to the running stack: content with as many alarms as
problems (storm_content.py), and a state machine that only ends (what `respond` does with an incident is not intake's
cost). `storm` and `storm.twice` spread their problems over workloads so wide that no storm gate closes: every problem
gets its incident and its execution. In `storm.held` everything of one workload fails, and the gate closes.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.rounds import BenchmarkError
from benchmarks.rows import Row, judged
from benchmarks.storm_content import ALARM_PREFIX, HELD, SPREAD, alarm_name, event, write_content
from sandbox import lifecycle
from sandbox.lifecycle import CONTROL_PLANE, both_stacks
from sandbox.server import Server

PROBLEMS, COPIES, ROUNDS = 200, 10, 3
TWICE_BUDGET = 2.2
PATIENCE = 240.0  # seconds of the wall
SEND_AT_ONCE = 10  # SQS takes no more in one batch
NOTHING_BUT_END = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}


def rows(only: str) -> Iterator[Row]:
    if not ("storm".startswith(only) or only.startswith("storm")):
        return
    with tempfile.TemporaryDirectory(prefix="selfright-bench-") as name:
        home = Path(name)
        (control, _) = both_stacks(1.0)
        try:
            server, outputs = lifecycle.up(home, scale=1.0, auth=False, stacks=(control,))
            storm = _Storm(server, outputs[CONTROL_PLANE], home / "content")
            storm.play(SPREAD, PROBLEMS // 10)  # functions start, queues and pollers are warm
            played = [(storm.play(SPREAD, PROBLEMS), storm.play(SPREAD, 2 * PROBLEMS)) for _ in range(ROUNDS)]
            ratio = storm.executions / storm.problems
            calm = storm.executions
            held = storm.play(HELD, PROBLEMS)
        finally:
            lifecycle.down(home)
    once, twice = (statistics.median(times) for times in zip(*played, strict=True))
    events = PROBLEMS * COPIES
    note = (
        f"{PROBLEMS} problems x {COPIES} in {PROBLEMS // 10} workloads, no storm gate closes: {PROBLEMS} incidents, "
        f"{PROBLEMS} executions, 0 lost; median of {ROUNDS}"
    )
    yield judged(
        "storm", events / once, "events/wall s", "one incident and execution per problem", ratio, 1.0, note
    )
    ratios = sorted(two / one for one, two in played)
    each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    note = f"{2 * events} events; {once:.1f} s for the half of them; ratios {each}"
    yield judged(
        "storm.twice", twice, "wall s", f"{events} events", statistics.median(ratios), TWICE_BUDGET, note
    )
    started = storm.executions - calm
    note = (
        f"all {PROBLEMS} tables of one workload x {COPIES}: {PROBLEMS} incidents, {started} started before the gate "
        f"closed, {PROBLEMS - started} held, 0 lost"
    )
    yield judged(
        "storm.held",
        events / held,
        "events/wall s",
        "an execution per problem",
        started / PROBLEMS,
        None,
        note,
    )


class _Storm:
    def __init__(self, server: Server, outputs: dict[str, str], content: Path) -> None:
        self._server, self._outputs = server, outputs
        write_content(content, 2 * PROBLEMS)
        functions = server.client("lambda")
        (room,) = [f for f in functions.list_functions()["Functions"] if "ReceiveSignal" in f["FunctionName"]]
        variables = {**room["Environment"]["Variables"], "SELFRIGHT_CONTENT": str(content)}
        functions.update_function_configuration(
            FunctionName=room["FunctionName"], Environment={"Variables": variables}
        )
        server.client("stepfunctions").update_state_machine(
            stateMachineArn=outputs["RespondArn"], definition=json.dumps(NOTHING_BUT_END)
        )
        self.problems = self.executions = self._decisions = 0
        self._at = datetime.now(UTC) - timedelta(hours=1)

    def play(self, kind: str, problems: int) -> float:
        """Seconds of the wall until every event is decided. Raises BenchmarkError where one is lost or doubled."""
        self._close_all()
        names = [alarm_name(kind, n) for n in range(problems)]
        # An alarm does not enter the same state twice in a second; a storm is later than the one before.
        self._at += timedelta(minutes=1)
        moments = [self._at + timedelta(seconds=n) for n in range(COPIES)]
        events = [event(name, at) for at in moments for name in names]
        began = time.monotonic()
        self._send(events)
        self._decisions += len(events)
        self.problems += problems
        deadline = began + PATIENCE
        # A message leaves the queue when it is decided. The ledger is counted with the clock stopped: that reads all
        # of it, and it grows from storm to storm.
        while self._waiting():
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{self._waiting()} messages are not decided after {PATIENCE:.0f} s")
            time.sleep(0.05)
        took = time.monotonic() - began
        decisions, incidents, started = self._found()
        while (decisions, incidents) != (self._decisions, self.problems) or self._waiting():
            if time.monotonic() > deadline:
                raise BenchmarkError(
                    f"{decisions} decisions of {self._decisions}, {incidents} incidents of {self.problems}"
                )
            time.sleep(0.25)
            decisions, incidents, started = self._found()
            took = time.monotonic() - began
        self.executions = self._started()
        if self.executions != started:
            raise BenchmarkError(f"{started} incidents were started, with {self.executions} executions")
        return took

    def _send(self, events: Sequence[dict[str, Any]]) -> None:
        sqs = self._server.client("sqs")
        for start in range(0, len(events), SEND_AT_ONCE):
            batch = [
                {"Id": str(n), "MessageBody": json.dumps(e)}
                for n, e in enumerate(events[start : start + SEND_AT_ONCE])
            ]
            sqs.send_message_batch(QueueUrl=self._outputs["SignalsUrl"], Entries=batch)

    def _waiting(self) -> int:
        """Messages that are in the queue or in work."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self._server.client("sqs").get_queue_attributes(
            QueueUrl=self._outputs["SignalsUrl"], AttributeNames=list(names)
        )["Attributes"]
        return sum(int(found[name]) for name in names)

    def _found(self) -> tuple[int, int, int]:
        """Decisions, incidents, and those of them that were not held; the control plane's own do not count."""
        storms = [i for i in self._items() if ALARM_PREFIX in i.get("doc", {}).get("S", "")]
        incidents = [item for item in storms if item["SK"]["S"] == "INCIDENT"]
        decisions = sum(item["SK"]["S"] == "DECISION" for item in storms)
        return decisions, len(incidents), sum(item["status"]["S"] != "held" for item in incidents)

    def _started(self) -> int:
        pages = self._server.client("stepfunctions").get_paginator("list_executions")
        started = pages.paginate(stateMachineArn=self._outputs["RespondArn"])
        return sum(len(page["executions"]) for page in started)

    def _items(self) -> Iterator[dict[str, Any]]:
        pages = self._server.client("dynamodb").get_paginator("scan")
        for page in pages.paginate(TableName=self._outputs["LedgerTable"]):
            yield from page["Items"]

    def _close_all(self) -> None:
        """Forget which problems are open, as closing their incidents would: the next storm opens new ones."""
        client = self._server.client("dynamodb")
        for item in self._items():
            if item["PK"]["S"].startswith("PROBLEM#") or item["SK"]["S"].startswith("TROUBLE#"):
                key = {name: item[name] for name in ("PK", "SK")}
                client.delete_item(TableName=self._outputs["LedgerTable"], Key=key)
