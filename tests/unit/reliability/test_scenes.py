"""A case's verdict: which net was needed, and which invariant broke."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from reliability.cases import Case, Mode
from reliability.scenes import Ending, Healer, NoEndError, Result, clean_run, play
from sandbox.emulator.faults import Call, Fault

CLEAN = Ending("resolved", "18 units", told=1, retried=0, caught=False, rescued=False)
CASE = Case("respond/helps", "ApplyAction", "dynamodb:Query", "Ledger", 1, Mode.FAIL)


class StillScene:
    """Ends as it is told to."""

    name = "respond/helps"
    callers = {"apply-1": "ApplyAction"}  # noqa: RUF012 - a scene's attribute, never changed
    only_killed: frozenset[str] = frozenset()
    modes = tuple(Mode)

    def __init__(
        self, ending: Ending | NoEndError, broken: Sequence[str] = (), *, meant: bool = True
    ) -> None:
        self._ending, self._broken, self._meant = ending, list(broken), meant

    def named(self, resource: str) -> str:
        return resource

    def alike(self, call: Call) -> str:
        return call.resource

    def reset(self) -> None:
        """Nothing to put back."""

    def run(self) -> Ending:
        if isinstance(self._ending, NoEndError):
            raise self._ending
        return self._ending

    def as_meant(self, _ending: Ending, _calls: Sequence[Call]) -> bool:
        return self._meant

    def broken(self, _ending: Ending, _calls: Sequence[Call]) -> list[str]:
        return list(self._broken)


class StillBoard:
    def __init__(self, *calls: Call) -> None:
        self._calls, self.armed = list(calls), []  # type: ignore[var-annotated]

    def arm(self, fault: Fault) -> None:
        self.armed.append(fault)

    def clear(self) -> None:
        """Nothing is on record."""

    def calls(self) -> list[Call]:
        return self._calls


def request(attempt: int = 1, struck: str = "") -> Call:
    return Call(
        "apply-1", "i", "dynamodb:Query", "Ledger", 1, attempt, 0.0, "", 500 if struck else 200, struck
    )


def played(scene: StillScene, *calls: Call, case: Case = CASE, clean: Ending = CLEAN) -> Result:
    board: Any = StillBoard(*calls)
    return play(scene, case, board, clean, {"Ledger": "Ledger"})


def ending(**instead: Any) -> Ending:
    return Ending(**{**CLEAN.__dict__, **instead})


@pytest.mark.parametrize(
    ("seen", "mode", "healer"),
    [
        (ending(), Mode.FAIL, Healer.SDK),
        (ending(retried=1), Mode.FAIL, Healer.STEP),
        (ending(outcome="escalated"), Mode.DOWN, Healer.UNKNOWN),
        (ending(outcome="escalated", retried=5, caught=True), Mode.DOWN, Healer.CATCH),
        (ending(retried=5, caught=True, rescued=True), Mode.DOWN, Healer.SWEEP),
    ],
)
def test_the_outermost_net_is_named(seen: Ending, mode: Mode, healer: Healer):
    case = Case("respond/helps", "ApplyAction", "dynamodb:Query", "Ledger", 1, mode)

    result = played(StillScene(seen), request(struck="fail"), request(attempt=2), case=case)

    assert (result.healed_by, result.broken) == (healer, [])


def test_a_late_answer_may_just_be_waited_for():
    case = Case("respond/helps", "ApplyAction", "dynamodb:Query", "Ledger", 1, Mode.DELAY)

    assert played(StillScene(CLEAN), request(struck="delay"), case=case).healed_by == Healer.WAITED


def test_what_does_not_hold_is_told():
    result = played(StillScene(CLEAN, ["a lease is left"]), request(struck="fail"))

    assert result.broken == ["a lease is left"]


def test_a_run_without_an_end_is_broken():
    result = played(StillScene(NoEndError("not within 90 s: closed")), request(struck="fail"))

    assert (result.outcome, result.broken) == ("no end", ["not within 90 s: closed"])


def test_a_fault_that_never_struck_proves_nothing():
    result = played(StillScene(CLEAN), request())

    assert (result.healed_by, result.broken) == ("", ["the fault never struck"])


@pytest.mark.parametrize("scene", [StillScene(CLEAN, ["a lease is left"]), StillScene(CLEAN, meant=False)])
def test_a_clean_run_must_be_clean_and_go_the_way_it_is_for(scene: StillScene):
    board: Any = StillBoard(request())

    with pytest.raises(AssertionError, match="respond/helps without a fault"):
        clean_run(scene, board)
