from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import workload as command_line
from sandbox import faults, lifecycle, release_artifacts
from sandbox.faults.defective_release import CRASHING, HARMLESS, LEAKING, Edit, edited
from sandbox.lifecycle import Sandbox
from sandbox.server import SandboxError, Server
from sandbox.workload import FUNCTIONS
from selfright.domain.errors import BadInputError, NotFoundError


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(pid=0, port=1, folder=tmp_path, origin=0.0, scale=12.0, started="then")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A world with one thing in it, and a fault that breaks it."""
    world = {"thing": "whole"}

    def look(_server: Server, _environment: str) -> dict[str, Any]:
        return dict(world)

    def change(_server: Server, _environment: str, _before: dict[str, Any]) -> None:
        world["thing"] = "broken"

    def restore(_server: Server, _environment: str, before: dict[str, Any]) -> None:
        world.update(before)

    fault = faults.Fault("broken-thing", "Somebody dropped it.", "It does not work.", look, change, restore)
    monkeypatch.setattr(faults, "FAULTS", {"broken-thing": fault})
    return world


def package() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for file in FUNCTIONS.rglob("*.py"):
            archive.write(file, str(file.relative_to(FUNCTIONS)))
    return made.getvalue()


def test_off_restores_what_stood_there_before_whoever_changed_it_since(server: Server, world: dict[str, str]):
    faults.on("broken-thing", server, "development")
    assert world == {"thing": "broken"}
    assert faults.active(server, "development") == ("broken-thing",)
    assert faults.active(server, "staging") == ()

    world["thing"] = "glued"
    assert faults.off("broken-thing", server, "development")

    assert world == {"thing": "whole"}
    assert faults.active(server, "development") == ()
    assert not faults.off("broken-thing", server, "development")


def test_a_fault_that_is_on_cannot_be_switched_on_again(server: Server, world: dict[str, str]):
    faults.on("broken-thing", server, "development")
    world["thing"] = "worse"

    with pytest.raises(SandboxError, match="on already in development"):
        faults.on("broken-thing", server, "development")

    faults.off("broken-thing", server, "development")
    assert world == {"thing": "whole"}


def test_an_unknown_fault_is_refused_with_the_known_ones(server: Server, world: dict[str, str]):
    with pytest.raises(SandboxError, match="no fault 'nope'; known: broken-thing"):
        faults.on("nope", server, "development")


@pytest.mark.parametrize("edits", [CRASHING, LEAKING, HARMLESS], ids=["crashing", "leaking", "harmless"])
def test_a_release_is_the_real_code_with_its_edits(edits: tuple[Edit, ...]):
    before = package()

    after = edited(before, edits)

    with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(io.BytesIO(after)) as new:
        assert new.namelist() == old.namelist()
        changed = {name for name in old.namelist() if new.read(name) != old.read(name)}
        assert changed == {f"opportunity_analysis/{edit.file}" for edit in edits}
        for name in changed:
            compile(new.read(name), name, "exec")
    assert edited(before, edits) == after


def test_every_build_of_a_release_is_code_of_its_own_and_always_the_same():
    packages = {build: release_artifacts.package(build) for build in release_artifacts.BUILDS}

    assert len(set(packages.values())) == len(packages)
    for build, code in packages.items():
        assert release_artifacts.package(build) == code
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            assert "opportunity_analysis/orchestrate.py" in archive.namelist()
            for name in archive.namelist():
                compile(archive.read(name), name, "exec")


def test_an_edit_that_does_not_fit_the_code_is_refused():
    with pytest.raises(SandboxError, match=r"scoring\.py holds 'not there' 0 times"):
        edited(package(), (Edit("scoring.py", "not there", ""),))


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, server: Server, world: dict[str, str]) -> None:
    monkeypatch.setattr(lifecycle, "status", lambda: Sandbox("running", server))


def run(*arguments: str) -> Any:
    return CliRunner().invoke(command_line.app, ["faults", *arguments])


def test_the_command_line_lists_and_switches(running: None, world: dict[str, str]):
    switched = run("on", "broken-thing")
    listed = run("list", "--json")

    assert (switched.exit_code, world) == (0, {"thing": "broken"})
    assert "Somebody dropped it." in switched.stdout
    assert '"on": true' in listed.stdout
    assert "broken-thing is off" in run("off", "broken-thing").stdout
    assert '"was_on": false' in run("off", "broken-thing", "--json").stdout


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("on", "nope"), BadInputError, "NAME: must be one of broken-thing, is 'nope'"),
        (("list", "--environment", "moon"), BadInputError, "--environment: must be one of"),
    ],
)
def test_bad_input_names_the_field(running: None, arguments: Any, error: Any, text: str):
    result = run(*arguments)

    assert isinstance(result.exception, error)
    assert text in str(result.exception)


def test_without_a_sandbox_there_is_nothing_to_break(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lifecycle, "status", lambda: Sandbox("none"))

    assert isinstance(run("list").exception, NotFoundError)
