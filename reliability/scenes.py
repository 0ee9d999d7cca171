"""What the harness needs to know of a state machine, and how one case is played."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from reliability.board import FaultBoard
from reliability.cases import Case, Mode
from sandbox.emulator.faults import Call


class Healer(StrEnum):
    """The outermost net that was needed."""

    SDK = "SDK"
    WAITED = "waited"
    DONE = "done"
    STEP = "step"
    UNKNOWN = "unknown"
    CATCH = "catch"
    SWEEP = "sweep"


@dataclass(frozen=True)
class Ending:
    """How one run ended. `outcome`: its final state in a word; `stands`: what is changed now, in words.

    `retried`: tasks that failed and were tried again. `caught`: the definition's own way for what failed for good.
    `rescued`: somebody else than the execution had to end it.
    """

    outcome: str
    stands: str
    told: int
    retried: int
    caught: bool
    rescued: bool


class Scene(Protocol):
    """One way through a state machine."""

    name: str
    """State machine and way, as `respond/helps`."""
    callers: Mapping[str, str]
    """Logical name by physical one, of the functions and the role whose calls are made to go wrong."""
    only_killed: frozenset[str]
    """Those of `callers` (logical names) that lead to the state machine but are no part of it."""

    modes: tuple[Mode, ...]
    """The ways in which its calls go wrong."""

    def named(self, resource: str) -> str:
        """A resource's logical name, from the ARN in a call."""

    def alike(self, call: Call) -> str:
        """What a read is about: where one of them goes wrong, all of them do as much harm."""

    def reset(self) -> None:
        """The world as before the first run; what was warm stays warm."""

    def run(self) -> Ending:
        """Start one run and see it to its end, with whatever nets AWS's schedules would bring into play.

        Raises NoEndError.
        """

    def as_meant(self, ending: Ending, calls: Sequence[Call]) -> bool:
        """Whether a run without a fault went the way that the scene is for."""

    def broken(self, ending: Ending, calls: Sequence[Call]) -> list[str]:
        """The invariants that do not hold now."""


class NoEndError(Exception):
    """A run did not come to an end in time; the message says where it stands."""


@dataclass(frozen=True)
class Result:
    """One line of the table. `healed_by` is empty where the fault never struck."""

    case: str
    scene: str
    caller: str
    call: str
    mode: str
    action: str
    outcome: str
    healed_by: str
    stands: str
    told: int
    seconds: float
    broken: list[str] = field(default_factory=list)

    def as_row(self) -> dict[str, Any]:
        return asdict(self)


def clean_run(scene: Scene, board: FaultBoard) -> tuple[Ending, list[Call]]:
    """A run in which nothing goes wrong, and its calls. Raises NoEndError, AssertionError where it is not clean."""
    scene.reset()
    board.clear()
    ending = scene.run()
    calls = board.calls()
    broken = scene.broken(ending, calls)
    if broken or not scene.as_meant(ending, calls):
        raise AssertionError(f"{scene.name} without a fault: {'; '.join(broken)} ({ending})")
    return ending, calls


def play(scene: Scene, case: Case, board: FaultBoard, clean: Ending, arns: Mapping[str, str]) -> Result:
    """One case, from a reset world to its verdict."""
    scene.reset()
    physical = {logical: name for name, logical in scene.callers.items()}
    board.arm(case.fault(physical, arns))
    began = time.monotonic()
    ending, broken = Ending("no end", "", 0, 0, caught=False, rescued=False), []
    try:
        ending = scene.run()
    except NoEndError as error:
        broken = [str(error)]
    calls = board.calls()
    broken += [] if broken else scene.broken(ending, calls)
    struck = [call for call in calls if call.struck]
    if not struck:
        broken.append("the fault never struck")
    return Result(
        case=case.name,
        scene=case.scene,
        caller=case.caller,
        call=case.call,
        mode=case.mode.value,
        action=case.action,
        outcome=ending.outcome,
        healed_by=str(_healer(case, ending, clean, calls)) if struck else "",
        stands=ending.stands,
        told=ending.told,
        seconds=round(time.monotonic() - began, 1),
        broken=broken,
    )


def _healer(case: Case, ending: Ending, clean: Ending, calls: Sequence[Call]) -> Healer:
    if ending.rescued:
        return Healer.SWEEP
    if ending.caught:
        return Healer.CATCH
    if ending.retried:
        return Healer.STEP
    if ending.outcome != clean.outcome:
        return Healer.UNKNOWN
    hit = {(call.invocation, call.nth) for call in calls if call.struck}
    if any(call.attempt > 1 and (call.invocation, call.nth) in hit for call in calls):
        return Healer.SDK
    return Healer.WAITED if case.mode is Mode.DELAY else Healer.DONE
