"""`selfright replay`: recorded events through the policies of today, and beside those of another version."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import replay as command
from cli.main import app
from cli.replay import Decision, difference
from selfright.domain.errors import BadInputError, NotFoundError
from tests.unit.template import ROOT

EVENTS = ROOT / "events"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["replay", *arguments])


def replayed(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.output)
    return answer


def decided(would: str, file: str = "a.json", **more: Any) -> Decision:
    return Decision(file=file, accepted=True, would=would, runbook="database-performance", **more)


def test_every_recorded_event_gets_a_decision():
    answer = replayed(str(EVENTS / "cloudwatch"))

    assert [d["file"] for d in answer["decisions"]] == sorted(
        p.name for p in (EVENTS / "cloudwatch").glob("*.json")
    )
    by_file = {d["file"]: d for d in answer["decisions"]}
    assert by_file["metric-alarm.json"]["would"] == "act"
    assert by_file["metric-alarm-muted.json"]["stopped_by"] == ["muted-or-suppressed"]
    assert "composite-alarm.json" in answer["matched_nothing"]
    assert answer["acted"] == sum(d["would"] == "act" for d in answer["decisions"])


def test_what_is_no_signal_is_refused_with_its_reason():
    answer = replayed(str(EVENTS))

    refused = [d for d in answer["decisions"] if not d["accepted"]]
    assert answer["refused"] == len(refused) > 0
    assert all(d["refused"] for d in refused)


def test_one_file_can_be_replayed():
    answer = replayed(str(EVENTS / "cloudwatch" / "metric-alarm.json"))

    assert [d["file"] for d in answer["decisions"]] == ["metric-alarm.json"]
    assert "difference" not in answer


def test_it_fails_where_nothing_finds_a_runbook(tmp_path: Path):
    """Rules that match none of the recorded incidents are no rules."""
    (tmp_path / "a.json").write_text("{}")

    assert run(str(tmp_path), "--json").exit_code == 1


@pytest.mark.parametrize("given", ["none", "."])
def test_a_folder_without_events_is_bad_input(tmp_path: Path, given: str):
    result = run(str(tmp_path / given))

    assert isinstance(result.exception, BadInputError)
    assert result.exception.field == "FILE|DIR"


def test_the_difference_names_what_is_acted_on_and_what_is_not():
    before = [
        decided("stop"),
        decided("act", "b.json"),
        decided("act", "c.json"),
        decided("act", "gone.json"),
    ]
    after = [decided("act"), decided("ask", "b.json", stopped_by=("autonomy",)), decided("act", "c.json")]

    assert difference(before, after) == {
        "newly_acted": ["a.json"],
        "no_longer_acted": ["b.json"],
        "changed": [
            {
                "file": "a.json",
                "before": "stop (database-performance; all go)",
                "after": "act (database-performance; all go)",
            },
            {
                "file": "b.json",
                "before": "act (database-performance; all go)",
                "after": "ask (database-performance; autonomy)",
            },
        ],
    }


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one version: as ours is, but its policies only observe."""
    home = tmp_path / "repository"
    for part in ("cli", "sandbox", "layers/core/selfright", "runbooks", "workloads"):
        shutil.copytree(ROOT / part, home / part, ignore=shutil.ignore_patterns("__pycache__", "fixtures"))
    overlay = home / "workloads" / "opportunity-analysis" / "development.yaml"
    overlay.write_text(overlay.read_text().replace("performance: auto", "performance: observe"))
    who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "-m", "one"]):
        subprocess.run(["git", "-C", str(home), *arguments], check=True, capture_output=True)  # noqa: S603, S607
    monkeypatch.setattr(command, "ROOT", home)
    return home


def test_another_version_replays_the_same_with_its_own_policies(repository: Path):
    overlay = repository / "workloads" / "opportunity-analysis" / "development.yaml"
    overlay.write_text(overlay.read_text().replace("performance: observe", "performance: auto"))

    answer = replayed(
        str(EVENTS / "cloudwatch"), "--against", "HEAD", "--workload-root", str(repository / "workloads")
    )

    assert answer["difference"]["newly_acted"] == ["metric-alarm.json"]
    assert answer["difference"]["no_longer_acted"] == []
    change = next(c for c in answer["difference"]["changed"] if c["file"] == "metric-alarm.json")
    assert change["before"] == "stop (database-performance; autonomy)"


@pytest.mark.parametrize("revision", ["none", "--help"])
def test_a_revision_that_is_not_there_is_named(repository: Path, revision: str):
    result = run(str(EVENTS), f"--against={revision}")

    assert isinstance(result.exception, NotFoundError)
    assert revision in str(result.exception)
