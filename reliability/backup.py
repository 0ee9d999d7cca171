"""`verify_backup`: the restore test of a small table, from its recovery point to its evidence.

Whatever goes wrong: the copy is deleted, by the sweep where need be; the source is as it was; and nothing passes that
was not checked to its end.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from reliability.cases import Mode
from reliability.scenes import Ending, NoEndError
from reliability.world import ENVIRONMENT, WORKLOAD, World
from sandbox.emulator.faults import Call
from sandbox.workload import stack_name
from selfright.domain.backup.evidence import Evidence, digest
from selfright.domain.backup.restore_test import ISOLATED
from selfright.domain.backup.verdict import CheckName, Verdict

MACHINE, RESOURCE = "VerifyBackup", "user-sessions"
SOURCE = f"{stack_name(ENVIRONMENT)}-{RESOURCE}"
ROOMS = (
    "RestoreBackup",
    "WatchRestore",
    "WatchExports",
    "CompareCopy",
    "ReadPart",
    "VerifyCopy",
    "RecordEvidence",
    "CleanUpRestore",
)
SCHEDULES = ("StartRestoreTestsEveryNight", "SweepRestoresEveryHour", "WriteSentinelsEveryMinute")
ITEMS = 3
SWEEPING = 15  # seconds of the wall: half an hour, in which the sweep is asked again and again
TELLING = 15  # seconds of the wall: the alarm on failed executions takes two minutes of the sandbox's


class RestoreScene:
    """A healthy backup: without a fault it is proven."""

    def __init__(self, world: World, name: str) -> None:
        self.name, self._world = name, world
        role = self._states.describe_state_machine(stateMachineArn=world.physical[MACHINE])["roleArn"]
        self.callers: Mapping[str, str] = {world.physical[room]: room for room in ROOMS} | {
            role.rsplit("/", 1)[-1]: MACHINE
        }
        self.only_killed: frozenset[str] = frozenset()
        # How a room takes a call that fails once, is throttled or late is the SDK's and the definition's business, and
        # the same as in `respond`.
        self.modes: tuple[Mode, ...] = (Mode.DOWN, Mode.KILL_BEFORE, Mode.KILL_AFTER)
        self._logical = {physical: logical for logical, physical in world.physical.items()} | {
            SOURCE: "source"
        }
        self._numbers = count(1)
        self._arn, self._before = "", dict[str, Any]()

    def alike(self, call: Call) -> str:
        return call.resource

    def named(self, resource: str) -> str:
        if f"table/{ISOLATED}" in resource:
            return "copy-export" if "/export/" in resource else "copy"
        if "/export/" in resource:
            return "source-export"
        bucket, _, key = resource.rpartition(":")[2].partition("/")
        if key.startswith("exports/readings/"):
            _, _, _, reading, *name = key.split("/")
            return "/".join([f"reading-{reading}", *name[:1]])  # each part is read by itself
        if key.startswith(("exports/", "evidence/")):
            folder = (
                "data" if "/data/" in key else key.rpartition("/")[2] if "/AWSDynamoDB/" in key else key[-4:]
            )
            return f"{key.partition('/')[0]}/{folder.lstrip('.')}"
        last = resource.rpartition(":")[2]
        found = [
            self._logical[part] for part in (resource, last, *last.split("/")[::-1]) if part in self._logical
        ]
        return str(found[0]) if found else "any" if last == "*" else self._logical.get(bucket, last)

    def reset(self) -> None:
        """No copy is there, the table holds what it should, and the alarm can go off."""
        world, dynamodb = self._world, self._dynamodb
        for schedule in SCHEDULES:
            world.aws.client("events").disable_rule(Name=world.physical[schedule])
        if not dynamodb.scan(TableName=SOURCE, Select="COUNT")["Count"]:
            for number in range(ITEMS):
                item = {"session_id": {"S": f"s-{number}"}, "expires_at": {"N": "4000000000"}}
                dynamodb.put_item(TableName=SOURCE, Item=item)
            written = world.now()
            world.until("a recovery point that holds them", lambda: self._latest() >= written)
        world.until("no copy is left", lambda: not self._copies() or self._sweep())
        world.until("the alarm is OK", self._alarm_is_ok)
        world.inbox.drain()
        self._before = self._source()

    def run(self) -> Ending:
        world = self._world
        asked = json.dumps({"workload": WORKLOAD, "table": RESOURCE})
        self._arn = self._states.start_execution(
            stateMachineArn=world.physical[MACHINE], name=f"case-{next(self._numbers)}", input=asked
        )["executionArn"]
        world.until("the execution is over", lambda: self._status() != "RUNNING")
        if swept := bool(self._copies()):
            with contextlib.suppress(NoEndError):  # then `broken` says so
                world.until("the copy is swept up", self._sweep, seconds=SWEEPING)
        told = self._status() == "SUCCEEDED" or self._told()
        found = self._evidence()
        events = self._states.get_execution_history(executionArn=self._arn, maxResults=1000)["events"]
        retried = sum("taskFailedEventDetails" in event for event in events)
        return Ending(
            outcome=self._status().lower() if found is None else found.verdict.value,
            stands="as before" if not self._copies() else "a copy is left",
            told=int(told),
            retried=retried,
            caught=bool(found and found.failure) or found is None,
            rescued=swept,
        )

    def as_meant(self, ending: Ending, calls: Sequence[Call]) -> bool:
        del calls
        return ending.outcome == Verdict.PASS and self._status() == "SUCCEEDED"

    def broken(self, ending: Ending, calls: Sequence[Call]) -> list[str]:
        found, evidence = list[str](), self._evidence()
        if copies := self._copies():
            found.append(f"left behind: {', '.join(copies)}")
        if self._source() != self._before:
            found.append("the source is not as it was")
        others = [call for call in calls if _deletes(call) and self.named(call.resource) != "copy"]
        found += [f"{call.action} of {call.resource}" for call in others]
        passed = evidence is not None and evidence.verdict is Verdict.PASS
        if self._status() == "SUCCEEDED" and not passed:
            found.append("it succeeded without a PASS on record")
        if evidence and passed:
            made = {check.name for check in evidence.checks if check.verdict is Verdict.PASS}
            if made != set(CheckName) or evidence.failure:
                found.append(f"PASS, but only {len(made)} checks passed ({evidence.failure})")
        if evidence and evidence.hash != digest(evidence):
            found.append("the evidence does not have the hash that it names")
        if not ending.told:
            found.append("nobody was told")
        return found

    # -- seeing

    @property
    def _states(self) -> Any:
        return self._world.aws.client("stepfunctions")

    @property
    def _dynamodb(self) -> Any:
        return self._world.aws.client("dynamodb")

    def _latest(self) -> Any:
        found = self._dynamodb.describe_continuous_backups(TableName=SOURCE)["ContinuousBackupsDescription"]
        return found["PointInTimeRecoveryDescription"]["LatestRestorableDateTime"]

    def _status(self) -> str:
        return str(self._states.describe_execution(executionArn=self._arn)["status"])

    def _copies(self) -> list[str]:
        return [name for name in self._dynamodb.list_tables()["TableNames"] if name.startswith(ISOLATED)]

    def _sweep(self) -> bool:
        """As its schedule invokes it."""
        world = self._world
        payload = json.dumps({"time": f"{world.now():%Y-%m-%dT%H:%M:%SZ}"})
        answer = world.aws.client("lambda").invoke(
            FunctionName=world.physical["SweepRestores"], Payload=payload
        )
        if "FunctionError" in answer:
            raise NoEndError(f"the sweep failed: {answer['Payload'].read().decode()}")
        return not self._copies()

    def _source(self) -> dict[str, Any]:
        """All of the source that a restore test could change."""
        found = self._dynamodb.describe_table(TableName=SOURCE)["Table"]
        items = self._dynamodb.scan(TableName=SOURCE)["Items"]
        kept = ("TableId", "TableStatus", "KeySchema", "StreamSpecification", "DeletionProtectionEnabled")
        return {name: found.get(name) for name in kept} | {"items": sorted(map(str, items))}

    def _evidence(self) -> Evidence | None:
        """What was put on record of this run."""
        client, bucket = self._world.aws.client("s3"), self._world.outputs["EvidenceBucket"]
        for each in client.list_objects_v2(Bucket=bucket, Prefix="evidence/").get("Contents", ()):
            if each["Key"].endswith(".json"):
                text = client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
                document = Evidence.model_validate_json(text)
                if document.execution == self._arn:
                    return document
        return None

    def _alarm_is_ok(self) -> bool:
        names = [self._world.physical["BackupNotProven"]]
        (alarm,) = self._world.aws.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        return bool(alarm["StateValue"] != "ALARM")

    def _told(self) -> bool:
        name, heard = self._world.physical["BackupNotProven"], list[str]()

        def hear() -> bool:
            heard.extend(mail["Message"] for mail in self._world.inbox.drain())
            return any(name in text for text in heard)

        with contextlib.suppress(NoEndError):
            return self._world.until("people are told", hear, seconds=TELLING)
        return False


def _deletes(call: Call) -> bool:
    return call.action in {"dynamodb:DeleteTable", "dynamodb:UpdateTable"} and call.carried_out
