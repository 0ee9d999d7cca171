"""`selfright explain`: what would be made of an event, with every assumption named; nothing of AWS is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from selfright.domain.gates import Gate
from tests.unit.template import ROOT

ALARM = ROOT / "events" / "cloudwatch" / "metric-alarm.json"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["explain", *arguments])


def explained(event: Any, tmp_path: Path, *arguments: str) -> dict[str, Any]:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    result = run("--event", str(file), "--json", *arguments)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.output)
    return answer


def alarm(environment: str = "development", **detail: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(ALARM.read_text().replace("-development-", f"-{environment}-"))
    event["detail"] |= detail
    return event


def gate(answer: dict[str, Any], name: Gate) -> dict[str, Any]:
    found: dict[str, Any] = next(g for g in answer["gates"] if g["gate"] == name)
    return found


def test_an_alarm_is_explained_from_signal_to_remedies(tmp_path: Path):
    answer = explained(alarm(), tmp_path)

    assert answer["accepted"] is True
    assert {k: answer["signal"][k] for k in ("kind", "workload", "environment", "resource", "state")} == {
        "kind": "alarm",
        "workload": "opportunity-analysis",
        "environment": "development",
        "resource": "analysis-results",
        "state": "ALARM",
    }
    assert (answer["runbook"], answer["would"]) == ("database-performance", "act")
    assert [c["check"] for c in answer["checks"]][:2] == ["dynamodb.table", "dynamodb.throttling"]
    assert [r["id"] for r in answer["remedies"]] == [
        "raise-autoscaling-maximum",
        "raise-capacity",
        "switch-to-on-demand",
    ]
    assert answer["remedies"][1]["when"] == ["throttled-by-provisioned-capacity", "undo-possible"]


def test_every_gate_answers_and_names_what_it_takes_for_granted(tmp_path: Path):
    answer = explained(alarm(), tmp_path)

    assert [g["gate"] for g in answer["gates"]] == list(Gate)
    assert all(g["verdict"] == "go" and g["value"] and g["threshold"] for g in answer["gates"])
    # These two rest on the manifest alone.
    assert {g["gate"] for g in answer["gates"] if g["assumed"] is None} == {Gate.WINDOW, Gate.PROTECTED}
    assert gate(answer, Gate.KILL_SWITCH)["assumed"] == "the kill switch is off"
    assert gate(answer, Gate.BUDGET)["threshold"] == "4 and 12"


def test_what_the_event_says_is_not_assumed(tmp_path: Path):
    answer = explained(alarm(muteDetail={"mutedBy": "nightly"}), tmp_path)

    muted = gate(answer, Gate.MUTED)
    assert (muted["verdict"], muted["reason"], muted["value"]) == ("stop", "alarm-muted", "muted by nightly")
    assert muted["assumed"] is None
    assert answer["would"] == "stop"


@pytest.mark.parametrize(
    ("environment", "would", "reason"),
    [("staging", "ask", "needs-approval"), ("production", "stop", "suggest-only")],
)
def test_each_environment_has_its_own_policies(tmp_path: Path, environment: str, would: str, reason: str):
    answer = explained(alarm(environment), tmp_path)

    assert answer["signal"]["environment"] == environment
    assert answer["would"] == would
    assert gate(answer, Gate.AUTONOMY)["reason"] == reason


def test_a_freeze_is_judged_at_the_moment_of_the_event(tmp_path: Path):
    state = {"value": "ALARM", "timestamp": "2026-12-24T18:00:00.000+0000"}

    answer = explained(alarm("production", state=state), tmp_path)

    assert gate(answer, Gate.WINDOW)["reason"] == "change-freeze"


def test_another_environment_does_not_know_the_alarm(tmp_path: Path):
    answer = explained(alarm(), tmp_path, "--environment", "production")

    assert (answer["would"], answer["runbook"]) == ("nothing", None)
    assert answer["say"] == "ignored: not-a-workload-alarm"


def test_other_manifests_can_be_asked(tmp_path: Path):
    folder = tmp_path / "workloads" / "opportunity-analysis"
    folder.mkdir(parents=True)
    for source in (ROOT / "workloads" / "opportunity-analysis").glob("*.yaml"):
        (folder / source.name).write_text(
            source.read_text().replace("performance: auto", "performance: observe")
        )

    answer = explained(alarm(), tmp_path, "--workload-root", str(tmp_path / "workloads"))

    assert gate(answer, Gate.AUTONOMY)["reason"] == "observe-only"


@pytest.mark.parametrize(
    ("name", "say"),
    [
        ("metric-alarm-ok", "noted: alarm-back-to-ok"),
        ("metric-alarm-insufficient-data", "noted: no-data-is-no-problem"),
    ],
)
def test_what_needs_no_remedy_says_so(tmp_path: Path, name: str, say: str):
    event = json.loads((ALARM.parent / f"{name}.json").read_text())

    answer = explained(event, tmp_path)

    assert (answer["would"], answer["say"], answer["gates"]) == ("nothing", say, [])


def test_a_problem_without_a_runbook_is_for_people(tmp_path: Path):
    event = alarm()
    event["detail"]["alarmName"] = "opportunity-analysis-development-orchestrator-latency"

    answer = explained(event, tmp_path)

    assert (answer["would"], answer["runbook"]) == ("people", None)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{}", "event"),
        ("[]", "event"),
        ("not json", "event.json"),
        ('{"detail-type": "CloudWatch Alarm State Change", "source": "me"}', "source"),
    ],
)
def test_refused_input_is_exit_code_two_with_the_reason(tmp_path: Path, text: str, field: str):
    file = tmp_path / "event.json"
    file.write_text(text)

    as_json, plain = run("--event", str(file), "--json"), run("--event", str(file))

    assert (as_json.exit_code, plain.exit_code) == (2, 2)
    answer = json.loads(as_json.output)
    assert answer["accepted"] is False
    assert answer["refused"]["field"].endswith(field)
    assert answer["refused"]["rule"]
    assert "refused" in plain.output


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path):
    result = run("--event", str(tmp_path / "none.json"), "--json")

    assert result.exit_code == 2
    assert "must be a readable file" in json.loads(result.output)["refused"]["rule"]


def test_people_read_the_same():
    result = run("--event", str(ALARM))

    assert result.exit_code == 0
    for text in (
        "runbook  database-performance",
        "kill-switch",
        "Assumed",
        "raise-capacity",
        "hot-partition",
    ):
        assert text in result.output


@pytest.mark.parametrize(
    ("sample", "would", "say"),
    [
        (
            "codedeploy/deployment-failed",
            "people",
            "no alarm could prove that a remedy for deployment worked",
        ),
        ("health/issue-closed", "nothing", "ignored: nothing-is-wrong"),
        ("cost-anomaly/detected", "nothing", "ignored: names-nothing-of-a-workload"),
        ("canary/canary", "nothing", "ignored: canary-arrived"),
        ("cloudwatch/contributor-ok", "nothing", "only-the-whole-alarm-recovers"),
        ("budgets/another-text", None, None),
    ],
)
def test_every_sender_is_explained(sample: str, would: str | None, say: str | None):
    result = run("--event", str(ROOT / "events" / f"{sample}.json"), "--json")

    answer = json.loads(result.output)
    assert answer["accepted"] is (would is not None), answer
    assert answer.get("would") == would
    assert say is None or say in answer["say"]
