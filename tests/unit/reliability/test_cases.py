"""From a clean run's calls to cases: every call in every way that is possible for it, once."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from reliability.cases import LATE, Case, Mode, discover
from sandbox.emulator.faults import Call

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/ledger-1"
QUERY, WRITE = "dynamodb:Query", "dynamodb:TransactWriteItems"


def made(
    action: str, *, caller: str = "apply-1", nth: int = 1, attempt: int = 1, invocation: str = "i"
) -> Call:
    return Call(caller, invocation, action, TABLE, nth, attempt, 0.0, "", 200, "")


def cases(
    *calls: Call,
    modes: tuple[Mode, ...] = tuple(Mode),
    alike: Callable[[Call], str] = lambda call: str(call.nth),
) -> list[Case]:
    scene: Any = SimpleNamespace(
        name="respond/helps",
        callers={"apply-1": "ApplyAction", "role-1": "Respond", "intake-1": "ReceiveSignal"},
        only_killed=frozenset({"ReceiveSignal"}),
        modes=modes,
        alike=alike,
        named=lambda _arn: "Ledger",
    )
    return list(discover(scene, calls))


def test_what_reads_can_fail_and_what_writes_can_be_cut_off_as_well():
    reading, writing = cases(made(QUERY)), cases(made(WRITE))

    assert [c.mode for c in reading] == [Mode.FAIL, Mode.THROTTLE, Mode.DELAY, Mode.DOWN]
    assert [c.mode for c in writing] == list(Mode)
    assert reading[0].name == "respond/helps/ApplyAction/Query Ledger 1/fail"


def test_a_call_is_one_case_however_often_it_is_tried_and_repeated():
    found = cases(made(QUERY), made(QUERY, attempt=2), made(QUERY, invocation="j"), made(QUERY, nth=2))

    assert {c.call for c in found} == {"Query Ledger 1", "Query Ledger 2"}
    assert len(found) == 8


def test_of_reads_that_are_alike_all_but_the_first_only_fail_for_good_and_writes_never_are():
    found = cases(
        made(QUERY), made(QUERY, nth=2), made(WRITE), made(WRITE, nth=2), alike=lambda _call: "the set"
    )

    modes = {call: [c.mode for c in found if c.call == call] for call in dict.fromkeys(c.call for c in found)}
    assert modes["Query Ledger 2"] == [Mode.DOWN]
    assert modes["TransactWriteItems Ledger 2"] == list(Mode)


def test_a_state_machine_has_no_process_to_kill_and_its_second_call_is_no_other_one():
    invoke = "lambda:InvokeFunction"

    found = cases(
        made(invoke, caller="role-1", invocation=""), made(invoke, caller="role-1", invocation="", nth=2)
    )

    assert [(c.nth, c.mode) for c in found] == [
        (1, Mode.FAIL),
        (1, Mode.THROTTLE),
        (1, Mode.DELAY),
        (1, Mode.DOWN),
    ]


def test_who_only_starts_the_state_machine_is_only_killed_and_strangers_are_left_alone():
    assert [c.mode for c in cases(made(WRITE, caller="intake-1"))] == [Mode.KILL_BEFORE, Mode.KILL_AFTER]
    assert cases(made(WRITE, caller="intake-1", nth=2)) == []  # of the next signal in the same batch
    assert cases(made(QUERY, caller="intake-1"), made(WRITE, caller="shop-function")) == []


def test_a_scene_may_leave_ways_out():
    assert [c.mode for c in cases(made(WRITE), modes=(Mode.DOWN,))] == [Mode.DOWN]


def test_a_case_arms_the_fault_of_this_very_deployment():
    found = {c.mode: c for c in cases(made(WRITE, nth=2))}

    def armed(mode: Mode) -> tuple[Any, ...]:
        fault = found[mode].fault({"ApplyAction": "apply-1"}, {"Ledger": TABLE})
        assert (fault.caller, fault.action, fault.resource, fault.nth) == ("apply-1", WRITE, TABLE, 2)
        return fault.mode, fault.times, fault.seconds

    assert armed(Mode.FAIL) == ("fail", 1, 0.0)
    assert armed(Mode.THROTTLE) == ("throttle", 2, 0.0)  # the SDK's retry as well
    assert armed(Mode.DOWN) == ("fail", 0, 0.0)
    assert armed(Mode.DELAY) == ("delay", 1, LATE)
    assert armed(Mode.KILL_AFTER) == ("kill-after", 1, 0.0)
