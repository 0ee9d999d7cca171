"""recover on the local AWS: whatever was lost comes back, and RTO and RPO are printed; and a drill."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from sandbox.restore_rehearsal import TABLE, copies, fill
from sandbox.server import ACCOUNT, REGION, ROOT
from sandbox.workload import stack_name
from selfright.adapters.flags import AppConfigFlagBoard
from selfright.adapters.recoveries import DynamoDBRecoveries
from selfright.domain.recovery.record import Recovery, Status, id_of
from selfright.domain.recovery.report import report_key
from selfright.domain.serving import FlagPlace
from tests.sandbox.emulator.lambda_functions import eventually
from tests.sandbox.journeys.world import ENVIRONMENT, WORKLOAD, World

PREFIX = stack_name(ENVIRONMENT)
SESSIONS, BUCKET, FUNCTION = (
    f"{PREFIX}-user-sessions",
    f"{PREFIX}-query-results-000000000000",
    f"{PREFIX}-data-retrieval",
)
SETTINGS = f"/{WORKLOAD}/{ENVIRONMENT}/settings"
APPROVED = {"approver": "a second person", "at_most": 20}
FLAG = FlagPlace(application=PREFIX, environment=ENVIRONMENT, profile="flags", flag="use_fallback_model")
OTHER = "111122223333"  # an account that has nothing
PATIENCE = 120.0  # seconds of the wall


class Lost:
    """A workload at its last good moment, `point`, and what was lost of it since."""

    def __init__(self, world: World) -> None:
        self.world, self.states = world, world.client("stepfunctions")
        self.recoveries = DynamoDBRecoveries(world.aws, world.outputs["LedgerTable"])
        self.dynamodb, self.s3 = world.client("dynamodb"), world.client("s3")
        self.lambdas, self.ssm = world.client("lambda"), world.client("ssm")
        self.point = world.now()
        self.good = self.lambdas.get_function_configuration(FunctionName=FUNCTION, Qualifier="live")[
            "CodeSha256"
        ]

    def start(self, name: str, scenario: str, **given: Any) -> str:
        asked = {
            "workload": WORKLOAD,
            "environment": ENVIRONMENT,
            "scenario": scenario,
            "requested_by": "a person",
            "reason": "a journey",
            "dry_run": False,
            **given,
        }
        started = self.states.start_execution(
            stateMachineArn=self.world.outputs["RecoverArn"], name=name, input=json.dumps(asked)
        )
        return str(started["executionArn"])

    def ended(self, execution: str) -> Recovery:
        shown = eventually(
            lambda: self.states.describe_execution(executionArn=execution),
            lambda shown: shown["status"] != "RUNNING",
            PATIENCE,
        )
        found = self.recoveries.find(id_of(execution))
        assert found is not None, shown.get("cause")
        wanted = "SUCCEEDED" if found.status in {Status.RECOVERED, Status.PLANNED} else "FAILED"
        assert shown["status"] == wanted, (found.why, shown.get("cause"))
        print(  # noqa: T201 - what a journey is asked for
            f"{found.asked.scenario} {found.asked.mode}: {found.status}, RTO {found.rto_seconds} s, RPO {found.rpo_seconds} s"
        )
        return found

    def items(self, table: str) -> dict[str, dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return {
            json.dumps([v for k, v in i.items() if k.endswith("_id")]): i
            for page in pages
            for i in page["Items"]
        }


@pytest.fixture(scope="module")
def lost(sandbox_world: World) -> Iterator[Lost]:
    world = sandbox_world
    world.calm_down()
    world.load.write(0)
    world.renew_table()
    s3, dynamodb = world.client("s3"), world.client("dynamodb")
    fill(world.server, 60)
    for number in range(4):
        session = {
            "session_id": {"S": f"s-{number}"},
            "expires_at": {"N": "4102444800"},
            "seen": {"NS": ["1", "2"]},
        }
        dynamodb.put_item(TableName=SESSIONS, Item=session)
    s3.put_object(Bucket=BUCKET, Key="awards/2026.json", Body=b'{"agency": "good"}')
    s3.put_object(Bucket=BUCKET, Key="awards/2025.json", Body=b'{"agency": "old"}')
    for table in (TABLE, SESSIONS):  # what a restore drops, and must come back
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
    lost = Lost(world)
    yield lost
    for table in (TABLE, SESSIONS):
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    for table in dynamodb.list_tables()["TableNames"]:
        if "-recovered-" in table:
            dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
            dynamodb.delete_table(TableName=table)
    for number in range(4):
        dynamodb.delete_item(TableName=SESSIONS, Key={"session_id": {"S": f"s-{number}"}})
    world.calm_down()


def test_what_was_lost_comes_back_and_each_takes_so_long(lost: Lost):
    """All at once, as restores take their time in the sandbox too."""
    dynamodb, s3, point = lost.dynamodb, lost.s3, lost.point.isoformat()
    before, sessions = lost.items(TABLE), lost.items(SESSIONS)
    settings = lost.ssm.get_parameter(Name=SETTINGS)["Parameter"]["Value"]
    # Given, since then: results deleted, sessions deleted, changed and added, objects deleted and overwritten, bad code
    for item in list(before.values())[:3]:
        key = {name: item[name] for name in ("opportunity_id", "analysis_id")}
        dynamodb.delete_item(TableName=TABLE, Key=key)
    dynamodb.delete_item(TableName=SESSIONS, Key={"session_id": {"S": "s-0"}})
    dynamodb.put_item(
        TableName=SESSIONS, Item={"session_id": {"S": "s-1"}, "expires_at": {"N": "4102444800"}}
    )
    dynamodb.put_item(
        TableName=SESSIONS, Item={"session_id": {"S": "s-9"}, "expires_at": {"N": "4102444800"}}
    )
    s3.delete_object(Bucket=BUCKET, Key="awards/2026.json")
    s3.put_object(Bucket=BUCKET, Key="awards/2025.json", Body=b"spoiled")
    bad = _bad_code(lost)
    # When dry runs are made first, they say what they would do
    table = {"resource": "analysis-results", "point": point}
    in_place = {"resource": "user-sessions", "point": point, "mode": "in-place"}
    objects = {"resource": "query-results", "prefix": "awards/", "point": point}
    code = {"resource": "data-retrieval", "point": point}
    dry = {
        "table": lost.start("dry-table", "table-to-point-in-time", **table, dry_run=True),
        "in-place": lost.start("dry-in-place", "table-to-point-in-time", **in_place, dry_run=True),
        "object": lost.start("dry-object", "object", **objects, dry_run=True),
        "code": lost.start("dry-code", "function-code", **code, dry_run=True),
    }
    told = {name: lost.ended(execution) for name, execution in dry.items()}
    assert {one.status for one in told.values()} == {Status.PLANNED}, {n: t.why for n, t in told.items()}
    assert [(f.name, f.loss) for f in told["in-place"].findings] == [
        ("session_id=s-0", "deleted"),
        ("session_id=s-1", "changed"),
    ]
    assert [(f.name, f.loss) for f in told["object"].findings] == [
        ("awards/2025.json", "changed"),
        ("awards/2026.json", "deleted"),
    ]
    # Then each comes back, approved by a second person where it overwrites something
    real = {
        "table": lost.start("table", "table-to-point-in-time", **table, repoint=True, approval=APPROVED),
        "in-place": lost.start(
            "in-place",
            "table-to-point-in-time",
            **in_place,
            undo=["deleted", "changed", "added"],
            approval=APPROVED,
        ),
        "object": lost.start("object", "object", **objects),
        "code": lost.start("code", "function-code", **code, approval=APPROVED),
    }
    found = {name: lost.ended(execution) for name, execution in real.items()}
    assert {one.status for one in found.values()} == {Status.RECOVERED}, {n: t.why for n, t in found.items()}
    assert {one.rpo_seconds for one in found.values()} == {0}
    assert all(0 < (one.rto_seconds or 0) < 14400 for one in found.values())
    # The restored table holds what was there, and the application is sent to it; the live one is as it was left
    restored = found["table"].copy_name or ""
    assert lost.items(restored) == before
    assert len(lost.items(TABLE)) == len(before) - 3
    now = json.loads(lost.ssm.get_parameter(Name=SETTINGS)["Parameter"]["Value"])
    assert now == {**json.loads(settings), "results_table": restored}
    lost.ssm.put_parameter(Name=SETTINGS, Value=settings, Type="String", Overwrite=True)
    # In place all three are as they were
    assert lost.items(SESSIONS) == sessions
    assert copies(lost.world.server) == ()
    # The objects and the code are the good ones
    assert s3.get_object(Bucket=BUCKET, Key="awards/2026.json")["Body"].read() == b'{"agency": "good"}'
    assert s3.get_object(Bucket=BUCKET, Key="awards/2025.json")["Body"].read() == b'{"agency": "old"}'
    shown = lost.lambdas.get_function_configuration(FunctionName=FUNCTION, Qualifier="live")
    assert (shown["CodeSha256"], shown["Version"] != bad) == (lost.good, True)


def _bad_code(lost: Lost) -> str:
    """A version that cannot work, and the alias that points to it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr(f"bad-{datetime.now(UTC).timestamp()}.py", "")
    lost.lambdas.update_function_code(FunctionName=FUNCTION, ZipFile=buffer.getvalue())
    made = lost.lambdas.publish_version(FunctionName=FUNCTION)["Version"]
    lost.lambdas.update_alias(FunctionName=FUNCTION, Name="live", FunctionVersion=made)
    return str(made)


def test_settings_code_and_the_whole_workload_come_back_from_the_weekly_backup(lost: Lost):
    world, ssm = lost.world, lost.ssm
    # Given a weekly backup, and what it is to bring back
    items = lost.items(TABLE)
    weekly = lost.states.start_execution(
        stateMachineArn=world.outputs["BackUpArn"],
        name="weekly-for-recover",
        input=json.dumps({"workload": WORKLOAD, "scope": "weekly"}),
    )["executionArn"]
    ended = world.until(
        "the backup is over",
        lambda: (
            shown
            if (shown := lost.states.describe_execution(executionArn=weekly))["status"] != "RUNNING"
            else None
        ),
        PATIENCE,
    )
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    point = world.now().isoformat()
    settings = ssm.get_parameter(Name=SETTINGS)["Parameter"]["Value"]
    alarm = f"{TABLE}-read-throttles"
    # When settings and an alarm are lost, and all code but the bad
    ssm.put_parameter(Name=SETTINGS, Value='{"spoiled": true}', Type="String", Overwrite=True)
    world.client("cloudwatch").delete_alarms(AlarmNames=[alarm])
    flags = AppConfigFlagBoard(world.aws, world.outputs["SwitchStrategy"])
    flags.throw(FLAG, value=True)
    bad = _bad_code(lost)
    for version in lost.lambdas.list_versions_by_function(FunctionName=FUNCTION)["Versions"]:
        if version["Version"] not in {"$LATEST", bad}:
            lost.lambdas.delete_function(FunctionName=FUNCTION, Qualifier=version["Version"])
    _let_recoveries_into(world, OTHER)
    dry = lost.start("dry-configuration", "configuration", point=point, dry_run=True)
    differing = {f.name for f in lost.ended(dry).findings}
    assert differing == {f"parameter {SETTINGS}", f"alarm {alarm}", f"flags {str(FLAG).rpartition(':')[0]}"}
    target = {"account": OTHER, "region": REGION}
    real = {
        "configuration": lost.start("configuration", "configuration", point=point, approval=APPROVED),
        "code": lost.start(
            "kept-code", "function-code", resource="data-retrieval", point=point, approval=APPROVED
        ),
        "workload": lost.start("workload", "whole-workload", point=point, target=target),
    }
    found = {name: lost.ended(execution) for name, execution in real.items()}
    assert {one.status for one in found.values()} == {Status.RECOVERED}, {n: t.why for n, t in found.items()}
    # Then they are as they were: settings, alarm and code here
    assert ssm.get_parameter(Name=SETTINGS)["Parameter"]["Value"] == settings
    assert len(world.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]) == 1
    assert flags.read(FLAG) is False
    shown = lost.lambdas.get_function_configuration(FunctionName=FUNCTION, Qualifier="live")
    assert shown["CodeSha256"] == lost.good
    # ... and everything in an account that had nothing
    there = _clients_of(world, OTHER)
    pages = there("dynamodb").get_paginator("scan").paginate(TableName=TABLE)
    assert sum(len(page["Items"]) for page in pages) == len(items)
    assert there("lambda").get_function_configuration(FunctionName=FUNCTION, Qualifier="live")[
        "CodeSha256"
    ] == (lost.good)
    assert all(0 < (one.rto_seconds or 0) < 14400 for one in found.values())
    assert 0 <= (found["workload"].rpo_seconds or 0) < 3600


def test_a_drill_of_every_table_touches_nothing_live(lost: Lost):
    world = lost.world
    before = {table: lost.dynamodb.describe_table(TableName=table)["Table"] for table in (TABLE, SESSIONS)}
    # When the schedule calls
    answer = world.client("lambda").invoke(
        FunctionName=world.physical_name("StartDrills"),
        Payload=json.dumps({"time": world.now().isoformat()}).encode(),
    )
    names = json.load(answer["Payload"])["executions"]
    machine = world.outputs["RecoverArn"].replace(":stateMachine:", ":execution:")
    found = [lost.ended(f"{machine}:{name}") for name in names]
    # Then each table was recovered to a copy that is gone, and the report says how long it took
    assert [one.status for one in found] == [Status.RECOVERED] * 2, [one.why for one in found]
    assert copies(world.server) == ()
    for one in found:
        body = lost.s3.get_object(Bucket=world.outputs["EvidenceBucket"], Key=report_key(one))["Body"].read()
        assert json.loads(body)["rto_seconds"] == one.rto_seconds
    after = {table: lost.dynamodb.describe_table(TableName=table)["Table"] for table in before}
    assert after == before


def _clients_of(world: World, account: str) -> Any:
    """Clients of another account: to the local AWS, twelve digits are its root's key."""
    return lambda service: boto3.client(
        service,
        endpoint_url=world.server.endpoint,
        region_name=REGION,
        aws_access_key_id=account,
        aws_secret_access_key="not checked",
    )


def _let_recoveries_into(world: World, account: str) -> None:
    """What docs/recovery-account.yaml deploys in an account that a workload may be rebuilt in."""
    template = (ROOT / "docs" / "recovery-account.yaml").read_text()
    cloudformation = _clients_of(world, account)("cloudformation")
    cloudformation.create_stack(
        StackName="selfright-recovery",
        TemplateBody=template,
        Parameters=[{"ParameterKey": "SelfrightAccount", "ParameterValue": ACCOUNT}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    world.until(
        "the account lets recoveries in",
        lambda: (
            cloudformation.describe_stacks(StackName="selfright-recovery")["Stacks"][0]["StackStatus"]
            == "CREATE_COMPLETE"
        ),
    )
