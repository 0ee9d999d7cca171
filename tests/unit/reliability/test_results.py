"""The results on record: whole, unbroken, and about the product as it stands."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from reliability.backup import ROOMS as RESTORING
from reliability.cases import Mode
from reliability.definitions import rooms_of
from reliability.page import RESULTS, page, write
from reliability.release import MACHINES
from reliability.release import STARTED_BY as RELEASES_STARTED_BY
from reliability.respond import ROOMS, STARTED_BY
from reliability.scenes import Result
from tests.unit.template import resources

CONTENT: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
ROWS: list[dict[str, Any]] = CONTENT["results"]

# What the rooms may call for the other runbook, on functions and flags; tests/unit/usecases/test_high_error_rate_crashes.py
# plays those in memory. Autoscaling's own is only called where a table is under it.
ELSEWHERE = {
    "appconfig:CreateHostedConfigurationVersion",
    "appconfig:ListApplications",
    "appconfig:ListConfigurationProfiles",
    "appconfig:ListEnvironments",
    "appconfig:StartDeployment",
    "application-autoscaling:RegisterScalableTarget",
    "lambda:DeleteFunctionConcurrency",
    "lambda:GetAccountSettings",
    "lambda:GetAlias",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:ListVersionsByFunction",
    "lambda:PutFunctionConcurrency",
    "lambda:UpdateAlias",
    "logs:FilterLogEvents",
}
# A transaction is granted by the actions of its items.
IN_TRANSACTIONS = {"dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"}


# Lambda fetches the package with the rights of whoever has it take up code.
ON_BEHALF = {"s3:GetObject", "s3:GetObjectVersion"}
# Rooms of releases that are new in a definition: `python -m reliability --only 'deploy/*'` plays them.
NOT_PLAYED_YET = {
    "PrepareStack",
    "ChangeStack",
    "RestoreStack",
    "ConfigureRelease",
    "RestoreConfiguration",
    "TestRelease",
}

# The releases that are played have functions only.
PARTS_NOT_PLAYED_YET = {
    "appconfig:ListApplications",
    "appconfig:ListConfigurationProfiles",
    "appconfig:ListDeployments",
    "appconfig:ListEnvironments",
    "dynamodb:DescribeContinuousBackups",
    "states:DescribeStateMachine",
    "states:DescribeStateMachineAlias",
    "states:PublishStateMachineVersion",
    "states:UpdateStateMachine",
    "states:UpdateStateMachineAlias",
}


def test_every_case_that_was_discovered_is_played_and_none_is_broken():
    played = {row["case"] for row in ROWS}

    assert played == set(CONTENT["discovered"])
    assert [row["case"] for row in ROWS if row["broken"]] == []


def allowed(rooms: Iterable[str]) -> set[str]:
    """The actions that these functions' own policies grant."""
    functions = resources("AWS::Serverless::Function")
    return {
        action
        for room in rooms
        for policy in functions[room]["Policies"]
        if isinstance(policy, dict)  # else one of AWS's own
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def played(*machines: str) -> set[str]:
    return {row["action"] for row in ROWS if row["scene"].split("/")[0] in machines}


def test_every_call_that_the_rooms_may_make_is_made_to_go_wrong():
    actions = played("respond", "undo")

    assert allowed(ROOMS["Respond"]) - actions == ELSEWHERE | IN_TRANSACTIONS
    assert "dynamodb:TransactWriteItems" in actions


def test_so_is_every_call_that_the_rooms_of_a_release_may_make():
    rooms = {*rooms_of("deploy"), *rooms_of("roll_back")} - NOT_PLAYED_YET

    missing = allowed(rooms) - played("deploy", "roll_back")
    assert missing == ON_BEHALF | PARTS_NOT_PLAYED_YET | {"dynamodb:PutItem"}


@pytest.mark.parametrize(
    ("machine", "starter"), [*((m.lower(), s) for m, s in STARTED_BY.items()), *RELEASES_STARTED_BY.items()]
)
def test_every_room_of_a_machine_is_killed_on_both_sides_of_what_it_changes(machine: str, starter: str):
    mine = [row for row in ROWS if row["scene"].startswith(f"{machine}/")]

    for mode in (Mode.KILL_BEFORE, Mode.KILL_AFTER):
        struck = {row["caller"] for row in mine if row["mode"] == mode}
        assert {*rooms_of(machine), starter} - struck <= NOT_PLAYED_YET, mode


@pytest.mark.parametrize("machine", ["Respond", "Undo"])
def test_the_scenes_know_the_rooms(machine: str):
    assert set(rooms_of(machine.lower())) == set(ROOMS[machine])


@pytest.mark.parametrize("machine", ["deploy", "roll_back"])
def test_every_room_of_a_release_goes_wrong(machine: str):
    role = MACHINES[machine]
    down = {row["call"] for row in ROWS if row["caller"] == role and row["mode"] == Mode.DOWN}

    missing = {room for room in rooms_of(machine) if f"InvokeFunction {room} 1" not in down}
    assert missing <= NOT_PLAYED_YET


def test_every_room_of_a_restore_test_is_killed_around_what_it_changes():
    mine = [row for row in ROWS if row["scene"].startswith("verify_backup/")]

    for mode in (Mode.KILL_BEFORE, Mode.KILL_AFTER):
        assert {row["caller"] for row in mine if row["mode"] == mode} == set(RESTORING), mode
    down = {row["call"] for row in mine if row["caller"] == "VerifyBackup"}
    assert {f"InvokeFunction {room} 1" for room in RESTORING} <= down


def test_a_part_that_is_played_again_replaces_its_own_rows(tmp_path: Path):
    file = tmp_path / "results.json"

    def result(name: str, outcome: str) -> Result:
        return Result(name, "s", "c", "call", "fail", "a:B", outcome, "SDK", "as before", 1, 1.0)

    write(
        [result("one", "resolved"), result("two", "resolved")],
        ["one", "two"],
        {"revision": "a"},
        file,
        keep=True,
    )
    write([result("two", "escalated")], ["one", "two"], {"revision": "b"}, file, keep=True)

    rows = json.loads(file.read_text())["results"]
    assert [(row["case"], row["outcome"]) for row in rows] == [("one", "resolved"), ("two", "escalated")]

    write([result("two", "resolved")], ["two"], {"revision": "c"}, file, keep=False)

    assert [row["case"] for row in json.loads(file.read_text())["results"]] == ["two"]


def test_the_page_counts_and_names_what_is_broken():
    row = Result(
        "s/c/Query Ledger 1/fail", "s", "c", "Query Ledger 1", "fail", "a:B", "resolved", "SDK", "", 1, 1.0
    )
    bad = {**row.as_row(), "case": "s/c/Query Ledger 1/down", "mode": "down", "broken": ["a lease is left"]}

    text = page({"notes": {"on": "a day"}, "discovered": ["a", "b", "c"], "results": [row.as_row(), bad]})

    assert "2 cases of 3 played, 1 broken. on: a day" in text
    assert "| c | Query Ledger 1 | resolved: SDK |  |  | **BROKEN** |  |  |" in text
    assert "- s/c/Query Ledger 1/down: a lease is left" in text
