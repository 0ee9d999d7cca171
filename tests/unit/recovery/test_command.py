"""`selfright recovery`: a dry run unless told otherwise, and RTO and RPO for whoever asks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import recovery
from selfright.domain.errors import BadInputError, NotFoundError
from selfright.domain.recovery.request import RecoverInput
from tests.unit.recovery.world import World, asked

RUN = CliRunner()


class StepFunctions:
    def __init__(self) -> None:
        self.started: list[RecoverInput] = []

    def start_execution(self, **given: str) -> dict[str, str]:
        self.started.append(RecoverInput.model_validate_json(given["input"]))
        return {"executionArn": "arn:aws:states:eu-central-1:123456789012:execution:recover:x"}


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> StepFunctions:
    found = StepFunctions()
    aws = type("FakeAws", (), {"client": lambda _self, _name: found})()
    monkeypatch.setattr(recovery, "_aws", lambda _sandbox: aws)
    monkeypatch.setattr(recovery, "stack_outputs", lambda *_: ["arn:recover"])
    return found


def request(folder: Path, **changed: Any) -> str:
    file = folder / "request.json"
    document = {**asked().model_dump(mode="json"), **changed}
    file.write_text(json.dumps(document))
    return str(file)


def test_what_a_file_asks_for_is_a_dry_run_unless_it_is_meant(states: StepFunctions, tmp_path: Path):
    file = request(tmp_path, dry_run=False)
    told = RUN.invoke(recovery.app, ["start", file]).output
    RUN.invoke(recovery.app, ["start", file, "--really"])
    assert [one.dry_run for one in states.started] == [True, False]
    assert "a dry run; --really does it" in told


def test_a_request_that_breaks_a_rule_is_refused_by_its_field(states: StepFunctions, tmp_path: Path):
    wrong = RUN.invoke(recovery.app, ["start", request(tmp_path, workload="NO")]).exception
    assert isinstance(wrong, BadInputError)
    assert wrong.field == "workload"
    assert states.started == []


def test_status_tells_steps_keys_and_both_objectives(monkeypatch: pytest.MonkeyPatch):
    world = World()
    world.lose_orders()
    found = world.play(asked(mode="in-place", approval={"approver": "bo", "at_most": 5}))
    monkeypatch.setattr(recovery, "_aws", lambda _sandbox: None)
    monkeypatch.setattr(recovery, "_ledger", lambda *_: world.recoveries)
    for_people = RUN.invoke(recovery.app, ["status", found.id]).output
    assert f"RTO {found.rto_seconds:.0f} s, RPO 0 s" in for_people
    assert "deleted  pk=o-000" in for_people
    assert "overwrites items of orders" in for_people
    (one,) = json.loads(RUN.invoke(recovery.app, ["status", found.id, "--json"]).output)["recoveries"]
    assert (one["status"], one["rto_seconds"], one["rpo_seconds"]) == ("recovered", found.rto_seconds, 0)
    listed = RUN.invoke(
        recovery.app, ["status", "--workload", "shop", "--environment", "production", "--json"]
    ).output
    assert [each["id"] for each in json.loads(listed)["recoveries"]] == [found.id]
    assert isinstance(RUN.invoke(recovery.app, ["status", "rc-no"]).exception, NotFoundError)
