"""What `selfright demo storm` says of a storm, and when it fails."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import demo
from cli import storm as command
from sandbox import forty_shops
from sandbox.tally import Storm
from selfright.adapters.manifest_files import load_workloads
from selfright.domain.incident import Incident, IncidentStatus
from selfright.domain.manifest import Environment, Severity, Symptom
from selfright.domain.signal import Decision

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def incident(number: int, status: IncidentStatus, outcome: str) -> Incident:
    return Incident(
        id=f"inc-{number}",
        fingerprint=str(number),
        workload=forty_shops.WORKLOAD,
        environment=Environment.DEVELOPMENT,
        resource=f"shop-{number:02d}",
        symptom=Symptom.THROTTLING,
        severity=Severity.CRITICAL,
        name="alarm",
        subject="arn",
        episode=NOW,
        opened_at=NOW,
        status=status,
        outcome=outcome,
    )


STORM = Storm(
    remediable=1,
    sent=103,
    decisions={Decision.OPENED: 2, Decision.HELD: 101},
    dead_letters=0,
    incidents=(
        incident(1, IncidentStatus.RESOLVED, "1 → 15"),
        incident(2, IncidentStatus.ESCALATED, "gate storm: too-many-in-trouble (3 of 3)"),
        incident(3, IncidentStatus.HELD, "held by the storm"),
    ),
    executions=2,
    actions=1,
    actions_in_storm=0,
    actions_cap=4,
    told_of_storm={"e-mail": 1, "Slack": 1},
    told_otherwise={"e-mail": 1, "Slack": 0},
    message="What happened: [throttling] of shop-02.",
    seconds=12.34,
)


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, storm: Storm, *arguments: str) -> Any:
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "rehearse", lambda *_: storm)
    return CliRunner().invoke(demo.app, ["storm", *arguments])


def test_json_tells_every_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    result = run(monkeypatch, tmp_path, STORM, "--json")

    facts = json.loads(result.stdout)
    assert result.exit_code == 0
    assert facts["events"] == {
        "sent": 103,
        "decided": 103,
        "lost": 0,
        "dead_letters": 0,
        "decisions": {"held": 101, "opened": 2},
    }
    assert (facts["incidents"], facts["executions"]) == (3, 2)
    assert (facts["held"], facts["held_at"]) == (2, {"intake": 1, "gates": 1})
    assert (facts["actions"], facts["actions_cap"], facts["told"]) == (1, 4, 1)
    assert facts["seconds"]["burst_to_drained"] == 12.3


def test_people_read_what_was_told_word_by_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    result = run(monkeypatch, tmp_path, STORM)

    assert result.exit_code == 0
    assert "103 sent, 103 decided, 0 lost" in result.stdout
    assert "What happened: [throttling] of shop-02." in result.stdout
    assert "✗" not in result.stdout


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        ({"sent": 104}, "every event is decided once, none is lost"),
        ({"dead_letters": 1}, "every event is decided once, none is lost"),
        ({"executions": 3}, "only an incident that was opened is taken up"),
        ({"actions": 0}, "a trouble that comes alone is remedied"),
        ({"actions_in_storm": 1}, "in the storm nothing is changed"),
        ({"actions": 5}, "no more actions than the manifest allows"),
        ({"told_of_storm": {"e-mail": 1, "Slack": 0}}, "people are told of the storm exactly once"),
        ({"told_of_storm": {"e-mail": 1, "Slack": 2}}, "people are told of the storm exactly once"),
    ],
)
def test_a_broken_promise_fails_the_command_and_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: dict[str, Any], promise: str
):
    broken = replace(STORM, **change)

    result = run(monkeypatch, tmp_path, broken)

    assert result.exit_code == 1
    assert f"✗ {promise}" in result.stdout
    assert [name for name, kept in broken.promises.items() if not kept] == [promise]


def test_the_forty_shops_are_a_valid_manifest_and_every_alarm_is_in_the_stack(tmp_path: Path):
    workloads, template = forty_shops.write(tmp_path)

    (workload,) = load_workloads(workloads, forty_shops.ENVIRONMENT)

    resources = json.loads(template.read_text())["Resources"].values()
    deployed = {name for r in resources for key, name in r["Properties"].items() if key.endswith("Name")}
    assert len(workload.resources) == 40
    assert {r.name for r in workload.resources.values()} < deployed
    assert {alarm.name for alarm in workload.alarms.values()} < deployed
