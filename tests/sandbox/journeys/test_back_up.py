"""back_up on the local AWS: the whole state, a snapshot a day and one on a change, and recovery that is kept on."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.restore_rehearsal import TABLE, WORKLOAD, fill
from sandbox.workload import stack_name
from selfright.adapters.recovery_points import (
    DynamoDBBackupRuns,
    DynamoDBConfigurationChanges,
    DynamoDBRecoveryPoints,
)
from selfright.domain.backup.catalogue import PointKind, RecoveryPoint, standings, wanted
from selfright.domain.backup.run import run_id
from selfright.domain.manifest import Workload
from tests.sandbox.journeys.world import ENVIRONMENT, World

STACK = stack_name(ENVIRONMENT)
SESSIONS = f"{STACK}-user-sessions"
PARAMETER_CHANGED = {
    "source": "aws.ssm",
    "resources": [],
    "detail-type": "Parameter Store Change",
    "detail": {"operation": "Update", "name": f"/{WORKLOAD}/{ENVIRONMENT}/settings", "type": "String"},
}


class House:
    def __init__(self, world: World) -> None:
        self.world, self.outputs = world, world.outputs
        self.states = world.client("stepfunctions")
        self.points = DynamoDBRecoveryPoints(world.aws, self.outputs["LedgerTable"])
        self.runs = DynamoDBBackupRuns(world.aws, self.outputs["LedgerTable"])
        self.changes = DynamoDBConfigurationChanges(world.aws, self.outputs["LedgerTable"])

    def call(self, room: str, asked: dict[str, Any]) -> dict[str, Any]:
        answer = self.world.client("lambda").invoke(
            FunctionName=self.world.physical_name(room), Payload=json.dumps(asked).encode()
        )
        told: dict[str, Any] = json.load(answer["Payload"])
        assert "FunctionError" not in answer, told
        return told

    def executions(self) -> dict[str, str]:
        """Status by name."""
        found = self.states.list_executions(stateMachineArn=self.outputs["BackUpArn"])["executions"]
        return {each["name"]: each["status"] for each in found}

    def ended(self, name: str) -> dict[str, Any]:
        arn = f"{self.outputs['BackUpArn'].replace(':stateMachine:', ':execution:')}:{name}"

        def look() -> dict[str, Any] | None:
            shown: dict[str, Any] = self.states.describe_execution(executionArn=arn)
            return shown if shown["status"] != "RUNNING" else None

        return self.world.until(f"{name} is over", look, 90)

    def reasons(self, ended: dict[str, Any]) -> dict[str, str]:
        """Why parts of a run were not taken."""
        run = self.runs.find(run_id(ended["executionArn"]))
        return {f"{part.kind}/{part.source}": part.reason for part in run.parts if part.reason} if run else {}

    def content(self, point: RecoveryPoint) -> bytes:
        place = point.place
        found = self.world.client("s3").get_object(
            Bucket=place.bucket, Key=place.key, VersionId=place.version
        )
        body: bytes = found["Body"].read()
        return body


@pytest.fixture(scope="module")
def house(sandbox_world: World) -> Iterator[House]:
    """A table with items that nobody writes to."""
    world = sandbox_world
    world.calm_down()
    world.load.write(0)
    world.renew_table()
    fill(world.server)
    yield House(world)
    world.calm_down()


def test_a_whole_state_a_snapshot_and_a_change_are_taken_and_catalogued(house: House, manifest: Workload):
    world = house.world
    dynamodb = world.client("dynamodb")
    # Given a table whose recovery somebody switched off
    dynamodb.update_continuous_backups(
        TableName=SESSIONS, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    # When recovery is looked after, and everything is backed up that schedules and a change ask for
    ensured = house.call("EnsureRecovery", {"time": "2026-11-23T03:00:00Z"})
    assert ensured["off"].get(SESSIONS, "switched on") == "switched on"  # the schedule may have been first
    house.call("EnsureRecovery", {"time": "2026-11-23T03:15:00Z"})
    (weekly,) = house.call("StartBackups", {"scope": "weekly"})["executions"]
    (daily,) = house.call("StartBackups", {"scope": "daily"})["executions"]
    before = set(house.executions())
    world.inject(PARAMETER_CHANGED)
    changed = world.until(
        "a change is noted", lambda: [n for n in set(house.executions()) - before if "-change-" in n]
    )
    for name in (weekly, daily, *changed):
        ended = house.ended(name)
        assert ended["status"] == "SUCCEEDED", (name, ended.get("cause"), house.reasons(ended))

    # Then every item that the manifest wants is in the catalogue, and recent enough
    newest = house.points.newest(WORKLOAD, ENVIRONMENT)
    pending = house.changes.pending(WORKLOAD, ENVIRONMENT)
    told = standings(wanted(manifest), newest, pending, world.now())
    assert [one for one in told if not one.met] == []
    assert pending is None
    points = {(point.kind, point.source): point for point in newest}

    # ... and each object is what the catalogue says, by its own bytes
    for point in newest:
        if point.kind is not PointKind.TABLE_PITR:
            assert hashlib.sha256(house.content(point)).hexdigest() == point.sha256, point

    # ... the export holds the table's items
    export = points[PointKind.TABLE_EXPORT, "analysis-results"]
    files = [json.loads(line) for line in house.content(export).splitlines()]
    client, bucket = world.client("s3"), house.outputs["BackupsBucket"]
    lines = [
        line
        for file in files
        for line in gzip.decompress(
            client.get_object(Bucket=bucket, Key=file["dataFileS3Key"])["Body"].read()
        ).splitlines()
    ]
    assert len(lines) == export.details["items"] >= 120

    # ... a package is the code behind the alias
    package = points[PointKind.FUNCTION_CODE, "orchestrator"]
    with zipfile.ZipFile(io.BytesIO(house.content(package))) as archive:
        assert "opportunity_analysis/orchestrate.py" in archive.namelist()

    # ... the template is the stack's own
    template = json.loads(house.content(points[PointKind.TEMPLATE, STACK]))
    assert "AWS::Serverless-2016-10-31" in template["original"]
    assert "AWS::Lambda::Function" in template["processed"]

    # ... and of a function's environment nothing is kept in the clear, and everything can be read with the key
    snapshot = json.loads(house.content(points[PointKind.CONFIGURATION, WORKLOAD]))
    kept = snapshot["functions"]["orchestrator"]
    plain = world.client("kms").decrypt(
        CiphertextBlob=b64decode(kept["environment"]["RESULTS_TABLE"]),
        EncryptionContext={"function": kept["name"], "variable": "RESULTS_TABLE"},
    )["Plaintext"]
    assert plain.decode() == TABLE
    assert TABLE not in json.dumps(snapshot["functions"])
    parameter = snapshot["parameters"][f"/{WORKLOAD}/{ENVIRONMENT}/settings"]
    assert json.loads(parameter["value"])["cache_ttl_seconds"] == 3600
    assert set(snapshot["alarms"]) >= {alarm.name for alarm in manifest.alarms.values()}
    assert snapshot["flags"][STACK]["profiles"]["flags"]["versions"]

    # ... the whole is told by its manifest
    whole = json.loads(house.content(points[PointKind.SYSTEM_STATE, WORKLOAD]))
    assert len(whole["points"]) == len(wanted(manifest)) - len(manifest.backup.tables) - 1


def test_a_backup_of_nothing_known_fails_openly(house: House):
    house.states.start_execution(
        stateMachineArn=house.outputs["BackUpArn"],
        name="unknown-workload",
        input='{"workload": "no-such-workload", "scope": "daily"}',
    )
    ended = house.ended("unknown-workload")
    assert ended["status"] == "FAILED"
    assert ended["error"] == "BackupNotWhole"
    assert "workload: must be one of" in ended["cause"]
