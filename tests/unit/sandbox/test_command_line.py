from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import sandbox as command_line
from sandbox import lifecycle, people
from sandbox.lifecycle import AlreadyRunningError, Sandbox
from sandbox.server import SandboxError, Server

SERVER = Server(pid=2**22 + 1, port=1, folder=Path("somewhere"), origin=0.0, scale=12.0, started="then")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(command_line.app, arguments)


def answer(monkeypatch: pytest.MonkeyPatch, function: str, result: object) -> list[dict[str, Any]]:
    """Let `lifecycle.function` answer or raise `result`; what it was called with is noted."""
    calls: list[dict[str, Any]] = []

    def stand_in(**arguments: Any) -> object:
        calls.append(arguments)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(lifecycle, function, stand_in)
    return calls


def test_up_starts_with_what_was_asked_for_and_tells_where_it_answers(monkeypatch: pytest.MonkeyPatch):
    calls = answer(monkeypatch, "up", (SERVER, {"selfright": {"Table": "t-1"}}))

    result = run("up", "--time-scale", "20", "--no-auth")

    assert result.exit_code == 0
    assert "http://127.0.0.1:1" in result.stdout
    assert "selfright outputs: 1" in result.stdout
    (call,) = calls
    assert (call["scale"], call["auth"]) == (20.0, False)
    assert [stack.name for stack in call["stacks"]] == ["selfright", "opportunity-analysis-development"]
    assert call["people_of"].workload == "opportunity-analysis"


def test_up_without_deploying_starts_empty(monkeypatch: pytest.MonkeyPatch):
    calls = answer(monkeypatch, "up", (SERVER, {}))

    assert "none deployed" in run("up", "--no-deploy").stdout
    (call,) = calls
    assert (call["stacks"], call["scale"], call["auth"], call["people_of"]) == ((), 12.0, True, None)


TOLD = [
    {"service": "slack", "body": {"text": "[critical] held: throttling"}},
    {
        "service": "pagerduty",
        "body": {"event_action": "trigger", "payload": {"summary": "throttling of orders"}},
    },
]


def test_told_shows_what_people_got_to_know(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lifecycle, "status", lambda: Sandbox("running", SERVER))
    monkeypatch.setattr(people, "told", lambda server: TOLD if server is SERVER else [])

    shown, document = run("told").stdout, json.loads(run("told", "--json").stdout)

    assert [line.split() for line in shown.splitlines()] == [
        ["slack", "[critical]", "held:", "throttling"],
        ["pagerduty", "trigger", "throttling", "of", "orders"],
    ]
    assert document == {"told": TOLD}


def test_where_nothing_runs_nobody_was_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lifecycle, "status", lambda: Sandbox("none"))

    result = run("told")

    assert result.exit_code == 1
    assert "no sandbox runs" in result.stderr


def test_up_for_machines_prints_one_document(monkeypatch: pytest.MonkeyPatch):
    answer(monkeypatch, "up", (SERVER, {"selfright": {"Table": "t-1"}}))

    document = json.loads(run("up", "--json").stdout)

    assert (document["status"], document["pid"], document["scale"]) == ("running", SERVER.pid, 12.0)
    assert document["stacks"] == {"selfright": {"Table": "t-1"}}
    assert document["steps"] == []


@pytest.mark.parametrize("refusal", [AlreadyRunningError("one runs already"), SandboxError("sam [said] no")])
def test_a_refusal_or_failure_ends_with_1_and_says_why(
    monkeypatch: pytest.MonkeyPatch, refusal: SandboxError
):
    answer(monkeypatch, "up", refusal)

    people, machines = run("up"), run("up", "--json")

    assert (people.exit_code, machines.exit_code) == (1, 1)
    assert str(refusal) in people.stderr
    assert json.loads(machines.stdout)["status"] == "failed"
    assert str(refusal) in json.loads(machines.stdout)["error"]


@pytest.mark.parametrize("scale", ["0", "101", "fast"])
def test_bad_input_ends_with_2_and_names_the_field(monkeypatch: pytest.MonkeyPatch, scale: str):
    calls = answer(monkeypatch, "up", (SERVER, {}))

    result = run("up", "--time-scale", scale)

    assert result.exit_code == 2
    assert "--time-scale" in result.stderr
    assert calls == []


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (Sandbox("none"), "no sandbox runs; nothing to do"),
        (Sandbox("dead", SERVER), "had died; cleaned up"),
        (Sandbox("running", SERVER), "stopped http://127.0.0.1:1"),
    ],
)
def test_down_says_what_it_found_and_is_always_fine(
    monkeypatch: pytest.MonkeyPatch, before: Sandbox, said: str
):
    answer(monkeypatch, "down", before)

    people, machines = run("down"), run("down", "--json")

    assert (people.exit_code, machines.exit_code) == (0, 0)
    assert said in people.stdout
    assert json.loads(machines.stdout) == {"status": "none", "before": before.state}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Sandbox("none"), "no sandbox runs"),
        (Sandbox("dead", SERVER), "somewhere/emulator.log"),
        (Sandbox("running", SERVER), "does not answer"),
    ],
)
def test_status_tells_how_it_is(monkeypatch: pytest.MonkeyPatch, found: Sandbox, said: str):
    answer(monkeypatch, "status", found)

    people, machines = run("status"), run("status", "--json")

    assert (people.exit_code, machines.exit_code) == (0, 0)
    assert said in people.stdout
    assert json.loads(machines.stdout)["status"] == found.state
