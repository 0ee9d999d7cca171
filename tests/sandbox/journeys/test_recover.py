"""recover on the local AWS: whatever was lost comes back, and RTO and RPO are printed; and a drill."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from sandbox.restore_rehearsal import TABLE, copies, fill
from sandbox.server import REGION
from selfright.adapters.flags import AppConfigFlagBoard
from selfright.domain.recovery.record import Status
from selfright.domain.recovery.report import report_key
from tests.sandbox.journeys.losing import (
    APPROVED,
    BUCKET,
    FLAG,
    FUNCTION,
    OTHER,
    PATIENCE,
    SESSIONS,
    SETTINGS,
    Lost,
    bad_code,
    clients_of,
    let_recoveries_into,
)
from tests.sandbox.journeys.world import WORKLOAD, World


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
    bad = bad_code(lost)
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
    bad = bad_code(lost)
    for version in lost.lambdas.list_versions_by_function(FunctionName=FUNCTION)["Versions"]:
        if version["Version"] not in {"$LATEST", bad}:
            lost.lambdas.delete_function(FunctionName=FUNCTION, Qualifier=version["Version"])
    let_recoveries_into(world, OTHER)
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
    there = clients_of(world, OTHER)
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
