"""verify_backup on the local AWS: a good backup, each planted fault, a stopped test, and what it may not touch."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import lifecycle
from sandbox.restore_rehearsal import (
    ENVIRONMENT,
    RESOURCE,
    TABLE,
    WORKLOAD,
    copies,
    fill,
    newest_evidence,
    wait_for_recovery_point,
    written_to,
)
from sandbox.server import Server
from tests.sandbox.emulator.lambda_functions import eventually

SCALE = 30.0
EIGHT = [
    "existence",
    "restorable",
    "complete",
    "integrity",
    "settings-parity",
    "application-invariants",
    "rpo-achieved",
    "rto-achieved",
]


class House:
    def __init__(self, server: Server, outputs: dict[str, str]) -> None:
        self.server, self.outputs = server, outputs
        self.states = server.client("stepfunctions")

    def start(self, name: str, table: str = RESOURCE, plant: str | None = None) -> str:
        asked = {"workload": WORKLOAD, "table": table, **({"plant": plant} if plant else {})}
        started = self.states.start_execution(
            stateMachineArn=self.outputs["VerifyBackupArn"], name=name, input=json.dumps(asked)
        )
        arn: str = started["executionArn"]
        return arn

    def ended(self, execution: str) -> dict[str, Any]:
        return eventually(
            lambda: self.states.describe_execution(executionArn=execution),
            lambda shown: shown["status"] != "RUNNING",
            120.0,
        )

    def evidence(self, execution: str) -> dict[str, Any]:
        ended = self.states.describe_execution(executionArn=execution)
        client, bucket = self.server.client("s3"), self.outputs["EvidenceBucket"]
        for found in client.list_objects_v2(Bucket=bucket, Prefix="evidence/").get("Contents", ()):
            if found["Key"].endswith(".json"):
                text = json.loads(client.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
                if text["execution"] == execution:
                    return dict(text)
        raise AssertionError(f"{execution} has no evidence: {ended['status']} {ended.get('cause')}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = Path(tmp_path_factory.mktemp("backup"))
    server, outputs = lifecycle.up(home, scale=SCALE, stacks=lifecycle.both_stacks(SCALE, ENVIRONMENT))
    try:
        fill(server)
        wait_for_recovery_point(server)
        yield House(server, outputs[lifecycle.CONTROL_PLANE])
    finally:
        lifecycle.down(home)


def test_backups_are_proven_and_every_planted_fault_is_found(house: House):
    """All at once, as they take their time in the sandbox too: the source is written to all the while."""
    plants: dict[str, tuple[str, str]] = {
        "drop": ("complete", "missing opportunity_id="),
        "alter": ("integrity", "changed: opportunity_id="),
        "duplicate": ("complete", "extra opportunity_id="),
        "setting": ("settings-parity", "tags is "),
        "short-export": ("complete", "an export is not whole: copy:"),
    }
    before = house.server.client("dynamodb").describe_table(TableName=TABLE)["Table"]
    # When a table is tested as it is, and with each fault
    with written_to(house.server) as written:
        good = house.start("good")
        drills = {plant: house.start(plant, plant=plant) for plant in plants}
        ended = {name: house.ended(arn)["status"] for name, arn in {"good": good, **drills}.items()}
        assert written() > 10
    # Then the good one passes all eight checks
    found = house.evidence(good)
    assert [(check["name"], check["verdict"]) for check in found["checks"]] == [
        (name, "PASS") for name in EIGHT
    ], found
    assert found["verdict"] == "PASS"
    assert 200 <= found["rpo_seconds"] <= 3600  # five minutes, less what the first room took until it asked
    assert 120 <= found["rto_seconds"] <= 14400
    assert found["comparison"]["source_items"] >= 120
    # And each fault is found by its check, and named
    for plant, (name, said) in plants.items():
        evidence = house.evidence(drills[plant])
        failed = {check["name"]: check for check in evidence["checks"] if check["verdict"] == "FAIL"}
        assert list(failed) == [name], evidence
        assert said in failed[name]["reason"]
        assert evidence["verdict"] == "FAIL"
    assert set(ended.values()) == {"SUCCEEDED"}, ended
    # And no copy is left, and the source is as it was
    assert copies(house.server) == ()
    after = house.server.client("dynamodb").describe_table(TableName=TABLE)["Table"]
    assert after["TableId"] == before["TableId"]


def test_a_table_that_is_empty_is_told_from_one_that_lost_its_items(house: House):
    # user-sessions holds nothing; its invariant is about each item, so it says nothing against that
    execution = house.start("empty", table="user-sessions")
    assert house.ended(execution)["status"] == "SUCCEEDED"
    evidence = house.evidence(execution)
    reasons = {check["name"]: check["reason"] for check in evidence["checks"]}
    assert reasons["complete"] == "source and copy are empty, and their exports are whole"


def test_a_test_that_cannot_begin_fails_openly_and_leaves_nothing(house: House):
    execution = house.start("unknown-table", table="no-such-table")
    ended = house.ended(execution)
    assert ended["status"] == "FAILED"
    assert ended["error"] == "BackupNotProven"
    assert "backup.tables" in ended["cause"]
    assert copies(house.server) == ()


def test_a_test_that_was_stopped_is_swept_up(house: House):
    # Given a test that is stopped while its copy is being created
    execution = house.start("stopped")
    eventually(lambda: copies(house.server), lambda found: len(found) == 1)
    house.states.stop_execution(executionArn=execution)
    eventually(
        lambda: house.states.describe_execution(executionArn=execution)["status"],
        lambda status: status == "ABORTED",
    )
    # When the sweep comes round, then the copy goes
    function = next(
        each["FunctionName"]
        for each in house.server.client("lambda").list_functions()["Functions"]
        if "SweepRestores" in each["FunctionName"]
    )
    event = json.dumps({"time": "2026-11-23T03:00:00Z"}).encode()

    def sweep() -> tuple[str, ...]:
        answer = house.server.client("lambda").invoke(FunctionName=function, Payload=event)
        assert "FunctionError" not in answer, answer["Payload"].read()
        time.sleep(0.5)
        return copies(house.server)

    assert eventually(sweep, lambda left: left == ()) == ()


def test_there_is_evidence_that_people_can_read(house: House):
    found = newest_evidence(house.server, house.outputs["EvidenceBucket"])
    assert found is not None
    client, bucket = house.server.client("s3"), house.outputs["EvidenceBucket"]
    pages = [
        each["Key"]
        for each in client.list_objects_v2(Bucket=bucket, Prefix="evidence/")["Contents"]
        if each["Key"].endswith(".html")
    ]
    page = client.get_object(Bucket=bucket, Key=pages[0])["Body"].read().decode()
    for name in EIGHT:
        assert f"<td>{name}</td>" in page
