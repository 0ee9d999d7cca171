"""From the calls of a clean run to the cases: each call, gone wrong in each way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sandbox.emulator.faults import Call, Fault

if TYPE_CHECKING:
    from reliability.scenes import Scene

# Seconds of the wall that an answer is late: longer than a worker waits for one (SELFRIGHT_SANDBOX_PATIENCE).
PATIENCE, LATE = 2.0, 2.5
# What only reads begins with one of these; StartConfigurationSession hands out a token and changes nothing.
_READS = ("Get", "List", "Describe", "Query", "Scan", "Filter", "StartConfigurationSession")
SDK_TRIES = 2  # adapters/aws.py


# What is named anew in every run: restore tests, exports, and the executions of a state machine.
_OF_ONE_RUN = re.compile(
    r"rt-[0-9a-f]{12}|\d{13,14}-[0-9a-f]{8}|(?<=/data/)[^/]+(?=\.json\.gz)|(?<=/source/)[^/]+|(?<=/copy/)[^/]+|\d{4}/\d{2}/\d{2}"
)


def pattern(resource: str) -> str:
    """A resource's ARN with `*` for what is named anew in every run."""
    return _OF_ONE_RUN.sub("*", resource)


class Mode(StrEnum):
    """How a call goes wrong."""

    FAIL = "fail"  # one request fails inside the service
    THROTTLE = "throttle"  # the call is throttled, and so is the SDK's retry of it
    DELAY = "delay"  # one answer comes later than it is waited for, though the call was carried out
    DOWN = "down"  # the call fails whenever it is made, in every repetition of the step
    KILL_BEFORE = "kill-before"  # the function dies before the call is carried out
    KILL_AFTER = "kill-after"  # the function dies when the call was carried out, before it sees the answer


_ANY = (Mode.FAIL, Mode.THROTTLE, Mode.DELAY, Mode.DOWN)
_KILLS = (Mode.KILL_BEFORE, Mode.KILL_AFTER)
_TIMES = {Mode.THROTTLE: SDK_TRIES, Mode.DOWN: 0}
_MODE_OF_FAULT = {Mode.DOWN: "fail"}


@dataclass(frozen=True)
class Case:
    """The `nth` call of `action` on `resource` that `caller` makes in one invocation goes wrong as `mode` says.

    Names are logical ones (ApplyAction, Ledger): they are the same in every deployment.
    """

    scene: str
    caller: str
    action: str
    resource: str
    nth: int
    mode: Mode

    @property
    def name(self) -> str:
        return f"{self.scene}/{self.caller}/{self.call}/{self.mode}"

    @property
    def call(self) -> str:
        return f"{self.action.split(':')[1]} {self.resource} {self.nth}"

    def fault(self, physical: Mapping[str, str], arns: Mapping[str, str]) -> Fault:
        """What to arm. `physical`: callers' real names, `arns`: resources' real ones, both by the logical ones."""
        return Fault(
            caller=physical[self.caller],
            action=self.action,
            resource=arns[self.resource],
            nth=self.nth,
            mode=_MODE_OF_FAULT.get(self.mode, self.mode.value),
            times=_TIMES.get(self.mode, 1),
            seconds=LATE if self.mode is Mode.DELAY else 0.0,
        )


def discover(scene: Scene, calls: Iterable[Call]) -> Iterator[Case]:
    """The cases of one clean run of `scene`, in the order of its calls.

    A function is killed around each call that changes something; to those that only start the state machine nothing
    else happens. Of reads that the scene calls alike, all but the first only fail for good.
    """
    seen, read = set(), set()
    for call in calls:
        caller = scene.callers.get(call.caller)
        what = (caller, call.action, call.resource, call.nth)
        if caller is None or what in seen:
            continue
        seen.add(what)
        if call.nth > 1 and (not call.invocation or caller in scene.only_killed):
            # A state machine's second call of one function is the first one of the next attempt; and how many
            # signals intake gets at once is chance.
            continue
        changes = call.invocation and not call.action.split(":")[1].startswith(_READS)
        possible = (*(() if caller in scene.only_killed else _ANY), *(_KILLS if changes else ()))
        alike = (caller, call.action, scene.alike(call))
        if not changes and alike in read:
            possible = (Mode.DOWN,) if Mode.DOWN in possible else ()
        read.add(alike)
        for mode in (mode for mode in possible if mode in scene.modes):
            yield Case(scene.name, caller, call.action, scene.named(call.resource), call.nth, mode)
