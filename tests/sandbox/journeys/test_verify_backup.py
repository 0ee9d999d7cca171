"""verify_backup on the local AWS: a good backup, each planted fault, a stopped test, and what it may not touch."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.restore_rehearsal import (
    RESOURCE,
    TABLE,
    WORKLOAD,
    copies,
    fill,
    newest_evidence,
    wait_for_recovery_point,
    written_to,
)
from sandbox.workload import stack_name
from tests.sandbox.emulator.lambda_functions import eventually
from tests.sandbox.journeys.world import ENVIRONMENT, World

SESSIONS = f"{stack_name(ENVIRONMENT)}-user-sessions"
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
    def __init__(self, world: World) -> None:
        self.world, self.server, self.outputs = world, world.server, world.outputs
        self.states = world.client("stepfunctions")

    def schedule(self, room: str) -> dict[str, Any]:
        """What a room answers when its schedule calls it."""
        answer = self.world.client("lambda").invoke(
            FunctionName=self.world.physical_name(room), Payload=b'{"time": "2026-11-23T03:00:00Z"}'
        )
        told: dict[str, Any] = json.load(answer["Payload"])
        assert "FunctionError" not in answer, told
        return told

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


def empty(dynamodb: Any, table: str) -> None:
    names = [key["AttributeName"] for key in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            dynamodb.delete_item(TableName=table, Key={name: item[name] for name in names})


@pytest.fixture(scope="module")
def house(sandbox_world: World) -> Iterator[House]:
    """One table with items that nobody else writes to, and an empty one with settings that a restore drops."""
    world = sandbox_world
    events, night = world.client("events"), world.physical_name("StartRestoreTestsEveryNight")
    events.disable_rule(Name=night)  # three in the morning can be any moment here
    world.calm_down()
    world.load.write(0)
    world.renew_table()
    dynamodb = world.client("dynamodb")
    recovered = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(
        TableName=SESSIONS, PointInTimeRecoverySpecification={**recovered, "RecoveryPeriodInDays": 7}
    )
    dynamodb.update_table(TableName=SESSIONS, DeletionProtectionEnabled=True)
    empty(dynamodb, SESSIONS)  # users of earlier journeys were here
    arn = dynamodb.describe_table(TableName=SESSIONS)["Table"]["TableArn"]
    account = {"AWS": f"arn:aws:iam::{arn.split(':')[4]}:root"}
    readers = {"Effect": "Allow", "Principal": account, "Action": "dynamodb:GetItem", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [readers]})
    dynamodb.put_resource_policy(ResourceArn=arn, Policy=policy)
    fill(world.server)
    wait_for_recovery_point(world.server)
    yield House(world)
    dynamodb.delete_resource_policy(ResourceArn=arn)
    dynamodb.update_table(TableName=SESSIONS, DeletionProtectionEnabled=False)
    dynamodb.update_continuous_backups(
        TableName=SESSIONS, PointInTimeRecoverySpecification={**recovered, "RecoveryPeriodInDays": 35}
    )
    events.enable_rule(Name=night)
    world.calm_down()


def test_backups_are_proven_and_every_planted_fault_is_found(house: House):
    """All at once, as they take their time in the sandbox too: the source is written to all the while."""
    plants: dict[str, tuple[str, str]] = {
        "drop": ("complete", "missing opportunity_id="),
        "alter": ("integrity", "changed: opportunity_id="),
        "duplicate": ("complete", "extra opportunity_id="),
        "setting": ("settings-parity", "tags is "),
        "short-export": ("complete", "(manifest_missing)"),
        "missing-part": ("complete", "(missing_part)"),
        "bad-md5": ("complete", "(bad_md5)"),
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


def test_every_night_each_table_is_tested_and_an_empty_one_is_no_lost_one(house: House):
    # user-sessions holds nothing; its invariant is about each item, so it says nothing against that
    names = house.schedule("StartRestoreTests")["executions"]
    assert names == [f"2026-11-23-{WORKLOAD}-{table}" for table in (RESOURCE, "user-sessions")]
    machine = house.outputs["VerifyBackupArn"].replace(":stateMachine:", ":execution:")
    executions = [f"{machine}:{name}" for name in names]
    assert [house.ended(execution)["status"] for execution in executions] == ["SUCCEEDED", "SUCCEEDED"]
    evidence = house.evidence(executions[1])
    reasons = {check["name"]: check["reason"] for check in evidence["checks"]}
    assert reasons["complete"] == "source and copy are empty, and their exports are whole"
    assert reasons["settings-parity"] == "the copy is set up like the source"  # its policy too
    # ... and both copies are gone, also the one that was as protected from deletion as its source
    assert copies(house.server) == ()


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
    def sweep() -> tuple[str, ...]:
        house.schedule("SweepRestores")
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
