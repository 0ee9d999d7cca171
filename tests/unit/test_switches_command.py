"""`selfright switches`: it says how the board stands only after the board has said so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import switches
from selfright.domain.errors import BadInputError, SourceDownError
from selfright.domain.manifest import Autonomy
from selfright.ports import Switches

RUNBOOK = "database-performance"


class Deployed:
    """A switch board in memory. `late`: so many reads still give the board before."""

    def __init__(self, now: Switches | None, late: int = 0) -> None:
        self.now, self._next, self._late = now, now, late
        self.because = ""

    def read(self) -> Switches:
        if self._late:
            self._late -= 1
        else:
            self.now = self._next
        if self.now is None:
            raise SourceDownError("the switch board is not valid: no")
        return self.now

    def throw(self, wanted: Switches, strategy: str, because: str) -> None:
        assert strategy == "at-once"
        self._next, self.because = wanted, because


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def deploy(board: Deployed) -> Deployed:
        monkeypatch.setattr(switches, "_open", lambda _sandbox, _stack: switches.Board(board, "at-once"))  # type: ignore[arg-type]
        monkeypatch.setattr(switches.time, "sleep", lambda _seconds: None)
        return board

    return deploy


def run(*arguments: str) -> Any:
    return CliRunner().invoke(switches.app, arguments)


def test_stop_keeps_the_levels_and_tells_when_it_is_read_back(deployed: Any):
    board = deployed(Deployed(Switches(kill_switch=False, autonomy={RUNBOOK: Autonomy.SUGGEST}), late=3))

    result = run("stop", "--because", "wrong fixes since 3:00", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"kill_switch": True, "autonomy": {RUNBOOK: "suggest"}}
    assert board.now.kill_switch is True
    assert board.because == "wrong fixes since 3:00"


def test_stop_works_on_a_board_that_cannot_be_read_and_leaves_it_careful(deployed: Any):
    board = deployed(Deployed(None))

    result = run("stop", "--because", "a bad document")

    assert result.exit_code == 0
    assert "STOPPED" in result.stdout
    assert board.now.autonomy == {"high-error-rate": Autonomy.OBSERVE, RUNBOOK: Autonomy.OBSERVE}


def test_go_on_a_board_that_cannot_be_read_changes_nothing(deployed: Any):
    board = deployed(Deployed(None))

    assert isinstance(run("go", "--because", "all quiet").exception, SourceDownError)
    assert board.because == ""


def test_a_board_that_does_not_take_the_change_is_an_error(deployed: Any):
    deployed(Deployed(Switches(kill_switch=False), late=1000))

    result = run("stop", "--because", "now")

    assert isinstance(result.exception, SourceDownError)
    assert "STOPPED" not in result.stdout


def test_a_level_is_lowered_and_given_back_to_the_manifest(deployed: Any):
    board = deployed(Deployed(Switches(kill_switch=False, autonomy={"high-error-rate": Autonomy.OBSERVE})))

    assert run("level", RUNBOOK, "suggest", "--because", "not sure").exit_code == 0
    assert board.now.autonomy == {"high-error-rate": Autonomy.OBSERVE, RUNBOOK: Autonomy.SUGGEST}

    assert run("level", RUNBOOK, "manifest", "--because", "sure again").exit_code == 0
    assert board.now.autonomy == {"high-error-rate": Autonomy.OBSERVE}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("level", "none", "observe", "--because", "x"), "RUNBOOK"),
        (("level", RUNBOOK, "boundless", "--because", "x"), "AUTONOMY"),
        (("stop", "--because", "  "), "--because"),
    ],
)
def test_bad_input_names_its_field_and_changes_nothing(deployed: Any, arguments: tuple[str, ...], field: str):
    before = Switches(kill_switch=False)
    board = deployed(Deployed(before))

    result = run(*arguments)

    assert isinstance(result.exception, BadInputError)
    assert result.exception.field == field
    assert board.now == before
