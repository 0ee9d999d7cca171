"""`selfright demo backup`: exit codes, and what its JSON says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import demo_backup
from cli.main import app
from sandbox.restore_rehearsal import RestoreRehearsal
from tests.unit.backup.world import World


def rehearsal(
    plant: str | None, left_behind: tuple[str, ...] = (), *, evidence: bool = True
) -> RestoreRehearsal:
    world = World()
    world.play(plant)
    return RestoreRehearsal(
        status="SUCCEEDED",
        cause=None,
        evidence=world.evidence() if evidence else None,
        left_behind=left_behind,
        written_meanwhile=7,
        scale=20.0,
    )


def run(
    monkeypatch: pytest.MonkeyPatch, came: RestoreRehearsal, *arguments: str
) -> tuple[int, dict[str, Any]]:
    monkeypatch.setattr(demo_backup, "rehearse_restore", lambda *_: came)
    result = CliRunner().invoke(app, ["demo", "backup", "--json", *arguments])
    return result.exit_code, json.loads(result.stdout)


def test_a_proven_backup_ends_with_0(monkeypatch: pytest.MonkeyPatch):
    code, facts = run(monkeypatch, rehearsal(None))
    assert code == 0
    assert facts["verdict"] == "PASS"
    assert len(facts["checks"]) == 8
    assert facts["differences"] == []
    assert (facts["rpo_seconds"], facts["left_behind"]) == (300.0, 0)


@pytest.mark.parametrize(
    ("fault", "difference"),
    [
        ("drop", {"key": "pk=o-000", "kind": "missing"}),
        ("alter", {"key": "pk=o-000", "kind": "changed"}),
        ("duplicate", {"key": "pk=o-000-planted", "kind": "extra"}),
        ("setting", {"key": "tags", "kind": "setting"}),
    ],
)
def test_a_fault_that_was_found_ends_with_0_and_is_named(
    monkeypatch: pytest.MonkeyPatch, fault: str, difference: dict[str, str]
):
    code, facts = run(monkeypatch, rehearsal(fault), "--fault", fault)
    assert code == 0
    assert facts["verdict"] == "FAIL"
    assert facts["differences"] == [difference]
    assert facts["planted"].startswith(f"{fault}: ")


def test_a_fault_that_was_not_found_ends_with_1(monkeypatch: pytest.MonkeyPatch):
    code, _ = run(monkeypatch, rehearsal(None), "--fault", "drop")
    assert code == 1


def test_a_table_left_behind_ends_with_1(monkeypatch: pytest.MonkeyPatch):
    code, facts = run(monkeypatch, rehearsal(None, ("selfright-restore-rt-0-orders",)))
    assert (code, facts["left_behind"]) == (1, 1)


def test_without_evidence_nothing_is_known(monkeypatch: pytest.MonkeyPatch):
    code, facts = run(monkeypatch, rehearsal(None, evidence=False))
    assert code == 1
    assert facts["verdict"] == "INCONCLUSIVE"


def test_people_read_each_check_and_why(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(demo_backup, "rehearse_restore", lambda *_: rehearsal("drop"))
    result = CliRunner().invoke(app, ["demo", "backup", "--fault", "drop"])
    assert "FAIL         complete" in result.stdout
    assert "missing pk=o-000" in result.stdout
    assert "planted on purpose: drop: pk=o-000" in result.stdout


def test_a_fault_that_nobody_knows_ends_with_2():
    result = CliRunner().invoke(app, ["demo", "backup", "--fault", "fire"])
    assert result.exit_code == 2
    assert "--fault" in result.stderr
