"""Every gate: what makes it say go, what stops it, and that a fact which could not be read stops it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.gates import (
    AlarmNow,
    Gate,
    GateFacts,
    GateResult,
    Radius,
    Reason,
    Unknown,
    Verdict,
    ask_gates,
    overall,
)
from selfright.domain.manifest import Autonomy, Closure

NOW = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)
EPISODE = NOW - timedelta(minutes=5)
DOWN = Unknown(error="reading it: timed out")
RADIUS = Radius(resources=1, max_resources=1, increase_factor=2.0, max_increase_factor=4.0)


def facts(**changes: Any) -> GateFacts:
    """Everything is fine and a change is planned, except for `changes`."""
    fine: dict[str, Any] = {
        "now": NOW,
        "episode": EPISODE,
        "stale_after_seconds": 1800,
        "cooldown_seconds": 300,
        "kill_switch": False,
        "window": None,
        "alarm": AlarmNow(state=State.ALARM, since=EPISODE),
        "autonomy": Autonomy.AUTO,
        "last_action_at": None,
        "lease_holder": None,
        "incident_id": "inc-1",
        "radius": RADIUS,
    }
    return GateFacts.model_validate({**fine, **changes})


def alarm(**changes: Any) -> AlarmNow:
    return AlarmNow.model_validate({"state": State.ALARM, "since": EPISODE, **changes})


def closed(reason: str) -> Closure:
    return Closure(name="year end", reason=reason, until=NOW + timedelta(hours=1))


STOPS: list[tuple[Gate, Reason, dict[str, Any], str]] = [
    (Gate.KILL_SWITCH, Reason.SWITCHED_OFF, {"kill_switch": True}, "on"),
    (Gate.KILL_SWITCH, Reason.SOURCE_DOWN, {"kill_switch": DOWN}, DOWN.error),
    (Gate.WINDOW, Reason.CHANGE_FREEZE, {"window": closed("change freeze")}, "until 2026-11-23T11:05:00Z"),
    (Gate.WINDOW, Reason.MAINTENANCE_WINDOW, {"window": closed("maintenance window")}, "year end"),
    (Gate.STALE_EPISODE, Reason.ALARM_GONE, {"alarm": None, "alarm_exists": False}, "does not exist"),
    (Gate.STALE_EPISODE, Reason.SOURCE_DOWN, {"alarm": DOWN}, DOWN.error),
    (Gate.STALE_EPISODE, Reason.SOURCE_DOWN, {"alarm": None}, "not read"),
    (Gate.STALE_EPISODE, Reason.ALARM_OVER, {"alarm": alarm(state=State.OK, since=NOW)}, "OK since"),
    (Gate.STALE_EPISODE, Reason.ALARM_OVER, {"alarm": alarm(state=State.INSUFFICIENT_DATA)}, "INSUFFICIENT"),
    (
        Gate.STALE_EPISODE,
        Reason.OTHER_EPISODE,
        {"alarm": alarm(since=EPISODE + timedelta(seconds=1.1))},
        "since 2026-11-23T10:00:01Z",
    ),
    (Gate.STALE_EPISODE, Reason.EPISODE_TOO_OLD, {"stale_after_seconds": 299}, "300 s old"),
    (Gate.MUTED, Reason.SOURCE_DOWN, {"alarm": DOWN}, DOWN.error),
    (Gate.MUTED, Reason.ALARM_MUTED, {"alarm": alarm(muted_by="nightly")}, "muted by nightly"),
    (Gate.MUTED, Reason.ACTIONS_SUPPRESSED, {"alarm": alarm(suppressed_by="Alarm")}, "suppressed by Alarm"),
    (Gate.MUTED, Reason.ACTIONS_DISABLED, {"alarm": alarm(actions_enabled=False)}, "disabled"),
    (Gate.AUTONOMY, Reason.SOURCE_DOWN, {"autonomy": DOWN}, DOWN.error),
    (Gate.AUTONOMY, Reason.OBSERVE_ONLY, {"autonomy": Autonomy.OBSERVE}, "observe"),
    (Gate.AUTONOMY, Reason.SUGGEST_ONLY, {"autonomy": Autonomy.SUGGEST}, "suggest"),
    (Gate.COOL_DOWN, Reason.SOURCE_DOWN, {"last_action_at": DOWN}, DOWN.error),
    (Gate.COOL_DOWN, Reason.TOO_SOON, {"last_action_at": NOW - timedelta(seconds=299)}, "299 s since"),
    (Gate.LEASE, Reason.SOURCE_DOWN, {"lease_holder": DOWN}, DOWN.error),
    (Gate.LEASE, Reason.HELD_BY_ANOTHER, {"lease_holder": "inc-2"}, "held by inc-2"),
    (
        Gate.BLAST_RADIUS,
        Reason.TOO_MANY_RESOURCES,
        {"radius": RADIUS.model_copy(update={"resources": 2})},
        "2 resource(s)",
    ),
    (
        Gate.BLAST_RADIUS,
        Reason.TOO_LARGE_A_STEP,
        {"radius": RADIUS.model_copy(update={"increase_factor": 4.01})},
        "x4.01",
    ),
]


def answer(gate: Gate, given: GateFacts) -> GateResult:
    return next(r for r in ask_gates(given) if r.gate is gate)


def test_where_everything_is_fine_every_gate_says_go():
    results = ask_gates(facts())

    assert {r.verdict for r in results} == {Verdict.GO}
    assert {r.reason for r in results} == {Reason.FINE}
    assert overall(results) is None


def test_the_gates_answer_in_their_order_whatever_they_find():
    assert [r.gate for r in ask_gates(facts(kill_switch=True, autonomy=Autonomy.OBSERVE))] == list(Gate)


@pytest.mark.parametrize(("gate", "reason", "changes", "value"), STOPS)
def test_a_gate_stops_with_its_reason_and_shows_what_it_looked_at(
    gate: Gate, reason: Reason, changes: dict[str, Any], value: str
):
    result = answer(gate, facts(**changes))

    assert (result.verdict, result.reason) == (Verdict.STOP, reason)
    assert value in result.value
    assert result.threshold


def test_approval_is_asked_for():
    result = answer(Gate.AUTONOMY, facts(autonomy=Autonomy.APPROVE))

    assert (result.verdict, result.reason) == (Verdict.ASK, Reason.NEEDS_APPROVAL)


def test_every_reason_can_come_up():
    assert {reason for _, reason, _, _ in STOPS} | {Reason.FINE, Reason.NEEDS_APPROVAL} == set(Reason)


@pytest.mark.parametrize(
    ("gate", "changes", "value"),
    [
        (Gate.STALE_EPISODE, {"alarm": alarm(since=EPISODE + timedelta(seconds=1))}, "ALARM since"),
        (Gate.STALE_EPISODE, {"stale_after_seconds": 300}, "ALARM since"),
        # A composite alarm tells of the end of a suppression with an event later than its transition.
        (Gate.STALE_EPISODE, {"alarm": alarm(since=EPISODE - timedelta(minutes=2))}, "ALARM since"),
        (Gate.COOL_DOWN, {"last_action_at": NOW - timedelta(seconds=300)}, "300 s since"),
        (Gate.LEASE, {"lease_holder": "inc-1"}, "ours"),
        (Gate.BLAST_RADIUS, {"radius": RADIUS.model_copy(update={"increase_factor": 4.0})}, "x4"),
    ],
)
def test_a_limit_itself_is_still_within_it(gate: Gate, changes: dict[str, Any], value: str):
    result = answer(gate, facts(**changes))

    assert result.verdict is Verdict.GO
    assert value in result.value


@pytest.mark.parametrize("gate", [Gate.AUTONOMY, Gate.BLAST_RADIUS, Gate.COOL_DOWN, Gate.LEASE])
def test_gates_that_speak_of_a_change_have_nothing_against_looking(gate: Gate):
    looking = facts(autonomy=None, radius=None, last_action_at=None, lease_holder=None)

    assert answer(gate, looking).verdict is Verdict.GO


def test_the_first_stop_decides_even_after_an_ask():
    results = ask_gates(facts(autonomy=Autonomy.APPROVE, lease_holder="inc-2", radius=RADIUS))
    decided = overall(results)

    assert decided
    assert (decided.gate, decided.verdict) == (Gate.LEASE, Verdict.STOP)


def test_an_ask_decides_where_nothing_stops():
    decided = overall(ask_gates(facts(autonomy=Autonomy.APPROVE)))

    assert decided
    assert decided.verdict is Verdict.ASK


def test_of_two_stops_the_earlier_gate_decides():
    decided = overall(ask_gates(facts(kill_switch=True, lease_holder="inc-2")))

    assert decided
    assert decided.gate is Gate.KILL_SWITCH


@pytest.mark.parametrize("gate", [Gate.STALE_EPISODE, Gate.MUTED])
def test_gates_about_an_alarm_have_nothing_against_a_problem_without_one(gate: Gate):
    without = facts(by_alarm=False, alarm=None, alarm_exists=False)

    assert answer(gate, without).verdict is Verdict.GO
    assert answer(gate, without).value == "not reported by an alarm"
    assert answer(gate, facts(alarm=None)).verdict is Verdict.STOP
