"""storm: alarms of many problems at once, each told ten times, through the real queue, function and ledger.

The control plane is deployed as it is, with two changes made to the running stack: content with as many alarms as
problems, and a state machine that only ends (what `respond` does with an incident is not intake's cost).
"""

from __future__ import annotations

import copy
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.rounds import BenchmarkError
from benchmarks.rows import Row, judged
from benchmarks.scenes import ALARM_EVENT
from sandbox import lifecycle
from sandbox.lifecycle import CONTROL_PLANE, both_stacks
from sandbox.server import Server

PROBLEMS, COPIES = 200, 10
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
            storm.play("warm-up", PROBLEMS // 10)  # functions start, queues and pollers are warm
            once = storm.play("once", PROBLEMS)
            twice = storm.play("twice", 2 * PROBLEMS)
        finally:
            lifecycle.down(home)
    note = f"{PROBLEMS} problems x {COPIES}: {PROBLEMS} incidents, {PROBLEMS} executions, 0 lost"
    ratio = storm.incidents / storm.problems
    against = "one incident and execution per problem"
    yield judged("storm", PROBLEMS * COPIES / once, "events/wall s", against, ratio, 1.0, note)
    against = f"{PROBLEMS * COPIES} events"
    note = f"{2 * PROBLEMS * COPIES} events; {once:.1f} s for the half of them"
    yield judged("storm.twice", twice, "wall s", against, twice / once, TWICE_BUDGET, note)


class _Storm:
    def __init__(self, server: Server, outputs: dict[str, str], content: Path) -> None:
        self._server, self._outputs = server, outputs
        _write_content(content)
        functions = server.client("lambda")
        (room,) = [f for f in functions.list_functions()["Functions"] if "ReceiveSignal" in f["FunctionName"]]
        variables = {**room["Environment"]["Variables"], "SELFRIGHT_CONTENT": str(content)}
        functions.update_function_configuration(
            FunctionName=room["FunctionName"], Environment={"Variables": variables}
        )
        server.client("stepfunctions").update_state_machine(
            stateMachineArn=outputs["RespondArn"], definition=json.dumps(NOTHING_BUT_END)
        )
        self.problems = self.incidents = self._decisions = 0

    def play(self, episode: str, problems: int) -> float:
        """Seconds of the wall until every event is decided. Raises BenchmarkError where one is lost or doubled."""
        events = [_event(n, episode, c) for c in range(COPIES) for n in range(problems)]
        self._close_all()
        began = time.monotonic()
        sqs = self._server.client("sqs")
        for start in range(0, len(events), SEND_AT_ONCE):
            batch = [
                {"Id": str(n), "MessageBody": json.dumps(e)}
                for n, e in enumerate(events[start : start + SEND_AT_ONCE])
            ]
            sqs.send_message_batch(QueueUrl=self._outputs["SignalsUrl"], Entries=batch)
        self._decisions += len(events)
        self.problems += problems
        deadline = time.monotonic() + PATIENCE
        # Counting reads the whole ledger, which would slow down what is measured: look into the queue first.
        while self._waiting() or (found := self._found()) != self._expected():
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{episode}: expected {self._expected()}, found {self._found()}")
            time.sleep(0.25)
        self.incidents = found[1]
        return time.monotonic() - began

    def _waiting(self) -> int:
        """Messages that are in the queue or in work."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self._server.client("sqs").get_queue_attributes(
            QueueUrl=self._outputs["SignalsUrl"], AttributeNames=list(names)
        )["Attributes"]
        return sum(int(found[name]) for name in names)

    def _expected(self) -> tuple[int, int, int]:
        """Decisions, incidents, executions."""
        return self._decisions, self.problems, self.problems

    def _found(self) -> tuple[int, int, int]:
        keys = [item["PK"]["S"].partition("#")[0] for item in self._items() if _counts(item)]
        pages = self._server.client("stepfunctions").get_paginator("list_executions")
        started = pages.paginate(stateMachineArn=self._outputs["RespondArn"])
        executions = sum(len(page["executions"]) for page in started)
        return keys.count("SIGNAL"), keys.count("INCIDENT"), executions

    def _items(self) -> Iterator[dict[str, Any]]:
        pages = self._server.client("dynamodb").get_paginator("scan")
        for page in pages.paginate(
            TableName=self._outputs["LedgerTable"], ProjectionExpression="PK, SK, doc"
        ):
            yield from page["Items"]

    def _close_all(self) -> None:
        """Forget which problems are open, as closing their incidents would: the next episode opens new ones."""
        client = self._server.client("dynamodb")
        for item in self._items():
            if item["PK"]["S"].startswith("PROBLEM#"):
                client.delete_item(TableName=self._outputs["LedgerTable"], Key=item)


def _counts(item: dict[str, Any]) -> bool:
    """A decision or an incident of the storm: the control plane's own alarms change their state meanwhile, too."""
    return item["SK"]["S"] in {"DECISION", "INCIDENT"} and _PREFIX in item["doc"]["S"]


def _alarm(number: int) -> str:
    return f"{_PREFIX}{number:04d}"


def _event(number: int, episode: str, copy_number: int) -> dict[str, Any]:
    """One state change of one alarm; every copy is a later evaluation of the same problem."""
    event = copy.deepcopy(_MODEL)
    name, at = _alarm(number), datetime.now(UTC)
    event["resources"] = [f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}"]
    detail = event["detail"]
    detail["alarmName"] = name
    detail["state"]["timestamp"] = f"{at:%Y-%m-%dT%H:%M:%S}.{copy_number:03d}+0000"
    detail["state"]["reason"] = episode
    return event


_PREFIX = "storm-development-"
_MODEL: dict[str, Any] = json.loads(ALARM_EVENT.read_text())


def _write_content(folder: Path) -> None:
    """A workload of as many tables with an alarm each as the largest storm has problems."""
    most = range(2 * PROBLEMS)
    document = {
        "workload": "storm",
        "description": "Many tables.",
        "owner": "nobody",
        "resources": {f"table-{n}": {"type": "dynamodb-table", "name": f"table-{n}"} for n in most},
        "alarms": {
            f"alarm-{n}": {
                "name": _alarm(n),
                "resource": f"table-{n}",
                "symptom": "throttling",
                "severity": "high",
            }
            for n in most
        },
    }
    (folder / "workloads" / "storm").mkdir(parents=True)
    (folder / "runbooks").mkdir()
    # JSON is YAML.
    (folder / "workloads" / "storm" / "base.yaml").write_text(json.dumps(document))
    (folder / "workloads" / "storm" / "development.yaml").write_text("{}")
