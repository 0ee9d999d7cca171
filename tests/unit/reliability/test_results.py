"""The results on record: whole, unbroken, and about the product as it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reliability.backup import ROOMS as RESTORING
from reliability.cases import Mode
from reliability.page import RESULTS, page, write
from reliability.respond import ROOMS, STARTED_BY
from reliability.scenes import Result
from tests.unit.template import ROOT, resources

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


def test_every_case_that_was_discovered_is_played_and_none_is_broken():
    played = {row["case"] for row in ROWS}

    assert played == set(CONTENT["discovered"])
    assert [row["case"] for row in ROWS if row["broken"]] == []


def test_every_call_that_the_rooms_may_make_is_made_to_go_wrong():
    functions = resources("AWS::Serverless::Function")
    allowed = {
        action
        for room in ROOMS["Respond"]
        for policy in functions[room]["Policies"]
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    played = {row["action"] for row in ROWS if row["scene"].startswith(("respond/", "undo/"))}

    assert allowed - played == ELSEWHERE | IN_TRANSACTIONS
    assert "dynamodb:TransactWriteItems" in played


@pytest.mark.parametrize("machine", ["Respond", "Undo"])
def test_every_room_of_a_machine_is_killed_on_both_sides_of_what_it_changes(machine: str):
    mine = [row for row in ROWS if row["scene"].startswith(f"{machine.lower()}/")]
    text = json.loads((ROOT / "statemachines" / f"{machine.lower()}.asl.json").read_text())
    called = {
        state["Arguments"]["FunctionName"].removeprefix("${").removesuffix("Arn}")
        for state in text["States"].values()
        if state["Type"] == "Task"
    }

    assert called == set(ROOMS[machine])
    for mode in (Mode.KILL_BEFORE, Mode.KILL_AFTER):
        struck = {row["caller"] for row in mine if row["mode"] == mode}
        assert {*called, STARTED_BY[machine]} == struck, mode


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
