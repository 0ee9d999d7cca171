"""One restore test on the local AWS, on a table that is written to all the while: what `selfright demo backup` runs.

The product does all of it: the state machine of template.yaml restores, compares and cleans up. Here the table gets
its items, the machine its input, and the evidence is read back from the bucket.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import lifecycle, workload
from sandbox.server import SandboxError, Server

ENVIRONMENT: workload.Environment = "development"
WORKLOAD, RESOURCE = "opportunity-analysis", "analysis-results"
TABLE = f"{WORKLOAD}-{ENVIRONMENT}-{RESOURCE}"
COPIES = "selfright-restore-"
# The newest recovery point lies five minutes back: they are waited for, so time runs faster than in other demos.
SCALE = 20.0
ITEMS = 120
LOOK_EVERY = 0.2  # seconds of the wall
PATIENCE = 150.0  # seconds of the wall for one thing; none takes half of it

Step = Callable[[str, float], None]


@dataclass(frozen=True)
class RestoreRehearsal:
    """What came of it. `evidence` is the document in the bucket; None where there is none."""

    status: str  # of the execution
    cause: str | None  # why it failed
    evidence: dict[str, Any] | None
    left_behind: tuple[str, ...]
    written_meanwhile: int
    scale: float


def rehearse_restore(home: Path, plant: str | None, step: Step, scale: float) -> RestoreRehearsal:
    """Bring a sandbox up in `home`, fill the table, and have its backup verified.

    Raises SandboxError where the sandbox or the state machine does not get there in time. The sandbox is taken
    down again in every case.
    """
    try:
        server, outputs = lifecycle.up(home, scale=scale, stacks=lifecycle.both_stacks(scale), tell=step)
        began = time.monotonic()
        fill(server)
        step(f"{ITEMS} items in {TABLE}", time.monotonic() - began)
        with written_to(server) as written:
            began = time.monotonic()
            wait_for_recovery_point(server)
            step("a recovery point that holds them", time.monotonic() - began)
            ours = outputs[lifecycle.CONTROL_PLANE]
            before = written()
            ended = verified(server, ours["VerifyBackupArn"], plant, step)
            evidence = newest_evidence(server, ours["EvidenceBucket"])
            return RestoreRehearsal(
                status=ended["status"],
                cause=ended.get("cause"),
                evidence=evidence,
                left_behind=copies(server),
                written_meanwhile=written() - before,
                scale=scale,
            )
    finally:
        lifecycle.down(home)


def fill(server: Server, items: int = ITEMS) -> None:
    for number in range(items):
        put(server, number, 0)


def put(server: Server, number: int, round_: int) -> None:
    """One result of an analysis, as the workload writes them."""
    item = {
        "opportunity_id": {"S": f"opportunity-{number % 40:03}"},
        "analysis_id": {"S": f"2026-11-23T00:00:00Z#{number:04}"},
        "report": {"M": {"summary": {"S": f"round {round_}"}, "score": {"N": f"0.{number % 100:02}"}}},
    }
    server.client("dynamodb").put_item(TableName=TABLE, Item=item)


@contextmanager
def written_to(server: Server) -> Iterator[Callable[[], int]]:
    """Change and add items all the while; the callable tells how often that was done."""
    stop, count = threading.Event(), [0]

    def write() -> None:
        while not stop.wait(LOOK_EVERY):
            put(server, count[0] % (2 * ITEMS), count[0] + 1)
            count[0] += 1

    writer = threading.Thread(target=write, name="writer", daemon=True)
    writer.start()
    try:
        yield lambda: count[0]
    finally:
        stop.set()
        writer.join(PATIENCE)


def wait_for_recovery_point(server: Server) -> None:
    """Until all that is in the table now can be restored."""
    client, now = server.client("dynamodb"), server.now()

    def latest() -> float:
        found = client.describe_continuous_backups(TableName=TABLE)["ContinuousBackupsDescription"]
        return float(found["PointInTimeRecoveryDescription"]["LatestRestorableDateTime"].timestamp())

    _until("a recovery point", lambda: latest() >= now)


def verified(server: Server, machine: str, plant: str | None, step: Step) -> dict[str, Any]:
    """Run the state machine to its end, telling each station; answers the execution as Step Functions describes it."""
    states = server.client("stepfunctions")
    asked = {"workload": WORKLOAD, "table": RESOURCE, **({"plant": plant} if plant else {})}
    arn = states.start_execution(stateMachineArn=machine, name="demo", input=json.dumps(asked))[
        "executionArn"
    ]
    began, told = time.monotonic(), 0

    def over() -> bool:
        nonlocal told
        events = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        entered = [
            event["stateEnteredEventDetails"]["name"]
            for event in events
            if "stateEnteredEventDetails" in event
        ]
        for place, name in enumerate(entered[told:], told):
            if name not in entered[:place] and not name.endswith("?"):
                step(name, time.monotonic() - began)
        told = len(entered)
        return bool(states.describe_execution(executionArn=arn)["status"] != "RUNNING")

    _until("the restore test", over)
    return dict(states.describe_execution(executionArn=arn))


def newest_evidence(server: Server, bucket: str) -> dict[str, Any] | None:
    client = server.client("s3")
    found = client.list_objects_v2(Bucket=bucket, Prefix="evidence/").get("Contents", ())
    documents = [each for each in found if each["Key"].endswith(".json")]
    if not documents:
        return None
    newest = max(documents, key=lambda each: each["LastModified"])
    text: dict[str, Any] = json.loads(client.get_object(Bucket=bucket, Key=newest["Key"])["Body"].read())
    return text


def copies(server: Server) -> tuple[str, ...]:
    """Restored tables that are still there."""
    names = server.client("dynamodb").list_tables()["TableNames"]
    return tuple(name for name in names if name.startswith(COPIES))


def _until(what: str, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise SandboxError(f"the demo waited {PATIENCE:.0f} s for {what} in vain")
        time.sleep(LOOK_EVERY)
