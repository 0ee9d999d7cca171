"""Every gate: what makes it say go, what stops it, and that a fact which could not be read stops it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.gates import (
    GATES,
    AlarmNow,
    Change,
    Fate,
    Gate,
    GateFacts,
    GateResult,
    Radius,
    Reason,
    Spent,
    Storm,
    Unknown,
    Verdict,
    absurdity,
    ask_gates,
    causal_depth,
    failures_in_a_row,
    flapping,
    overall,
)
from selfright.domain.manifest import Autonomy, Closure

NOW = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)
EPISODE = NOW - timedelta(minutes=5)
DOWN = Unknown(error="reading it: timed out")
SPENT = Spent(hour=3, day=11, per_hour=4, per_day=12)
CALM = Storm(unhealthy=1, resources=10, limit=0.4, declared=False)
RADIUS = Radius(resources=1, max_resources=1, increase_factor=2.0, max_increase_factor=4.0)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def change(minutes_ago: float, fate: Fate = Fate.FAILED, **more: Any) -> Change:
    """By an incident of its own, whose alarm went off two minutes before."""
    given = {
        "incident": f"inc-{minutes_ago}",
        "attempt": 1,
        "target": "orders",
        "remedy": "raise",
        "at": ago(minutes_ago),
        "episode": ago(minutes_ago + 2),
        "fate": fate,
        **more,
    }
    return Change.model_validate(given)


def failed(*minutes_ago: float) -> tuple[Change, ...]:
    return tuple(change(m) for m in minutes_ago)


def flips(*minutes_ago: float) -> tuple[datetime, ...]:
    return tuple(ago(m) for m in minutes_ago)


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
        "alarm_changes": (EPISODE,),
        "storm": CALM,
        "protected": False,
        "autonomy": Autonomy.AUTO,
        "changes": (),
        "attempt": 1,
        "attempts_allowed": 3,
        "remedy": "raise",
        "spent": SPENT,
        "figures": {"facts": {"usage": {"write": {"demand_peak": 14.0}}}},
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
    (Gate.RELEASE, Reason.SOURCE_DOWN, {"release": DOWN}, DOWN.error),
    (Gate.RELEASE, Reason.RELEASE_ANSWERS, {"release": "release shop-42 is going back"}, "shop-42"),
    (Gate.STORM, Reason.SOURCE_DOWN, {"storm": DOWN}, DOWN.error),
    (
        Gate.STORM,
        Reason.TOO_MANY_IN_TROUBLE,
        {"storm": CALM.model_copy(update={"unhealthy": 4})},
        "4 of 10 resources in trouble (40%)",
    ),
    (
        Gate.STORM,
        Reason.TOO_MANY_IN_TROUBLE,
        {"storm": CALM.model_copy(update={"unhealthy": 2, "declared": True})},  # half the limit: not over yet
        "2 of 10",
    ),
    (Gate.PROTECTED, Reason.RESOURCE_PROTECTED, {"protected": True}, "protects"),
    (Gate.ABSURD, Reason.IMPOSSIBLE_NUMBER, {"figures": {"estimate_usd": 1e11}}, "estimate_usd is 1e+11"),
    (Gate.ABSURD, Reason.IMPOSSIBLE_NUMBER, {"figures": {"after": {"units": -1}}}, "after.units is -1"),
    (Gate.VERIFIABLE, Reason.SOURCE_DOWN, {"alarm": DOWN}, DOWN.error),
    (Gate.VERIFIABLE, Reason.NO_VERDICT_POSSIBLE, {"alarm": alarm(unjudgeable="a composite")}, "a composite"),
    (
        Gate.VERIFIABLE,
        Reason.NO_VERDICT_POSSIBLE,
        {"by_alarm": False, "alarm": None},
        "not reported by an alarm",
    ),
    (Gate.FLAPPING, Reason.SOURCE_DOWN, {"alarm_changes": DOWN}, DOWN.error),
    (Gate.OWN_ACTION, Reason.SOURCE_DOWN, {"changes": DOWN}, DOWN.error),
    (
        Gate.OWN_ACTION,
        Reason.CAUSED_BY_US,
        {"changes": (change(10, Fate.HELPED), change(30, Fate.HELPED))},
        "depth 2",
    ),
    (
        Gate.OWN_ACTION,
        Reason.TARGET_SPENT,
        {"changes": tuple(change(h * 60.0, Fate.HELPED) for h in (3, 6, 9, 12, 24))},
        "5 change(s)",
    ),
    (Gate.ATTEMPTS, Reason.SOURCE_DOWN, {"changes": DOWN}, DOWN.error),
    (Gate.ATTEMPTS, Reason.TOO_MANY_ATTEMPTS, {"attempt": 4}, "attempt 4"),
    (Gate.ATTEMPTS, Reason.INEFFECTIVE_CHAIN, {"changes": failed(200, 700, 1440)}, "3 repeat(s)"),
    (Gate.FAILURES, Reason.SOURCE_DOWN, {"changes": DOWN}, DOWN.error),
    (Gate.FAILURES, Reason.FAILED_TOO_OFTEN, {"changes": failed(59, 300, 600)}, "3 in a row"),
    (Gate.BACK_OFF, Reason.SOURCE_DOWN, {"changes": DOWN}, DOWN.error),
    (Gate.BACK_OFF, Reason.BACKING_OFF, {"changes": failed(1.9, 90)}, "114 s since failure 2"),
    (Gate.BUDGET, Reason.SOURCE_DOWN, {"spent": DOWN}, DOWN.error),
    (Gate.BUDGET, Reason.HOUR_SPENT, {"spent": SPENT.model_copy(update={"hour": 4})}, "4 this hour"),
    (Gate.BUDGET, Reason.DAY_SPENT, {"spent": SPENT.model_copy(update={"day": 12})}, "12 in 24 h"),
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
    asked = {Reason.FINE, Reason.NEEDS_APPROVAL, Reason.ALARM_FLAPS}

    assert {reason for _, reason, _, _ in STOPS} | asked == set(Reason)


def test_every_gate_names_the_reasons_that_it_has():
    asked = {(Gate.AUTONOMY, Reason.NEEDS_APPROVAL), (Gate.FLAPPING, Reason.ALARM_FLAPS)}
    shown = {(gate, reason) for gate, reason, _, _ in STOPS} | asked

    assert {(gate, reason) for gate, about in GATES.items() for reason in about.reasons} == shown
    assert list(GATES) == list(Gate)


@pytest.mark.parametrize("gate", [g for g in Gate if Reason.SOURCE_DOWN in GATES[g].reasons])
def test_a_gate_that_reads_a_source_fails_closed(gate: Gate):
    """The others look at the manifest, the plan and the facts on record, which are at hand or there is no step."""
    assert (gate, Reason.SOURCE_DOWN) in {(g, reason) for g, reason, _, _ in STOPS}


def test_flapping_asks_people_instead_of_acting():
    result = answer(Gate.FLAPPING, facts(alarm_changes=flips(50, 40, 30, 20, 5)))

    assert (result.verdict, result.reason) == (Verdict.ASK, Reason.ALARM_FLAPS)
    assert "5 change(s) of state" in result.value


@pytest.mark.parametrize(
    ("gate", "changes", "value"),
    [
        (Gate.STALE_EPISODE, {"alarm": alarm(since=EPISODE + timedelta(seconds=1))}, "ALARM since"),
        (Gate.STALE_EPISODE, {"stale_after_seconds": 300}, "ALARM since"),
        # A composite alarm tells of the end of a suppression with an event later than its transition.
        (Gate.STALE_EPISODE, {"alarm": alarm(since=EPISODE - timedelta(minutes=2))}, "ALARM since"),
        (Gate.STORM, {"storm": CALM.model_copy(update={"unhealthy": 3})}, "30%"),
        # Two of two: a share of a tiny base says nothing.
        (Gate.STORM, {"storm": Storm(unhealthy=2, resources=2, limit=0.4, declared=False)}, "100%"),
        (Gate.STORM, {"storm": CALM.model_copy(update={"declared": True})}, "1 of 10"),
        (Gate.ABSURD, {"figures": {"estimate_usd": 1e6, "units": 1e13, "flag": True, "word": "x"}}, "true"),
        (Gate.FLAPPING, {"alarm_changes": flips(50, 40, 30, 5)}, "4 change(s)"),
        (Gate.OWN_ACTION, {"changes": (change(10, Fate.HELPED),)}, "depth 1"),
        (Gate.OWN_ACTION, {"changes": (change(10, Fate.NOT_MADE), change(20, Fate.NOT_MADE))}, "depth 0, 0"),
        (Gate.ATTEMPTS, {"attempt": 3, "changes": failed(200, 700, 1441)}, "2 repeat(s)"),
        (Gate.ATTEMPTS, {"remedy": "other", "changes": failed(200, 700, 900)}, "0 repeat(s)"),
        (Gate.FAILURES, {"changes": failed(60, 300, 600)}, "3 in a row"),
        (Gate.FAILURES, {"changes": failed(5, 300)}, "2 in a row"),
        (Gate.BACK_OFF, {"changes": failed(2, 90)}, "120 s since failure 2"),
        (Gate.COOL_DOWN, {"last_action_at": NOW - timedelta(seconds=300)}, "300 s since"),
        (Gate.LEASE, {"lease_holder": "inc-1"}, "ours"),
        (Gate.BLAST_RADIUS, {"radius": RADIUS.model_copy(update={"increase_factor": 4.0})}, "x4"),
    ],
)
def test_a_limit_itself_is_still_within_it(gate: Gate, changes: dict[str, Any], value: str):
    result = answer(gate, facts(**changes))

    assert result.verdict is Verdict.GO
    assert value in result.value


@pytest.mark.parametrize(
    "gate",
    [
        Gate.AUTONOMY,
        Gate.BLAST_RADIUS,
        Gate.COOL_DOWN,
        Gate.LEASE,
        Gate.PROTECTED,
        Gate.FLAPPING,
        Gate.BACK_OFF,
        Gate.VERIFIABLE,
    ],
)
def test_gates_that_speak_of_a_change_have_nothing_against_looking(gate: Gate):
    looking = facts(
        alarm=alarm(unjudgeable="a composite"),
        autonomy=None,
        radius=None,
        last_action_at=None,
        lease_holder=None,
        protected=True,
        alarm_changes=flips(50, 40, 30, 20, 5),
        changes=failed(0.5),
    )

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


# -- what history teaches


@pytest.mark.parametrize(
    ("moments", "flaps"),
    [
        (flips(50, 40, 30, 20), False),
        (flips(50, 40, 30, 20, 0), True),
        (flips(61, 40, 30, 20, 0), False),  # five, but not within an hour
        (flips(170, 160, 150, 140, 130, 80, 25), True),  # never quiet for an hour since
        (flips(170, 160, 150, 140, 130, 65, 5), False),  # quiet for an hour before it went off again
        (flips(170, 160, 150, 140, 130), False),  # quiet since
        ((), False),
    ],
)
def test_an_alarm_flaps_until_it_was_quiet(moments: tuple[datetime, ...], flaps: bool):
    assert flapping(moments, NOW) is flaps


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ((), 0),
        (failed(10, 20, 30), 3),
        ((change(10), change(20, Fate.HELPED), change(30)), 2),  # that success did not hold for an hour
        ((change(10), change(70, Fate.HELPED), change(90)), 1),
        ((change(60, Fate.HELPED), change(90)), 0),
        ((change(59, Fate.HELPED), change(90)), 1),
        ((change(10, Fate.NOT_MADE), change(70, Fate.HELPED), change(90)), 0),
        ((change(30, Fate.OPEN),), 0),
        ((change(61, Fate.OPEN),), 1),  # abandoned: nobody proved that it helped
    ],
)
def test_failures_in_a_row_end_with_an_hour_of_health(changes: tuple[Change, ...], count: int):
    assert failures_in_a_row(changes, NOW) == count


@pytest.mark.parametrize(
    ("changes", "depth"),
    [
        ((), 0),
        ((change(10),), 1),
        ((change(10), change(30)), 2),  # the alarm of 12 minutes ago, 18 minutes after the change of 30
        ((change(10), change(50)), 1),
        ((change(36),), 0),  # half an hour and a minute before our alarm
        ((change(35),), 1),
        ((change(10, incident="inc-1"),), 0),  # our own earlier attempt
        ((change(4),), 0),  # after our alarm went off
        ((change(10, Fate.NOT_MADE),), 0),
    ],
)
def test_a_chain_of_our_own_making_is_counted(changes: tuple[Change, ...], depth: int):
    assert causal_depth(changes, "inc-1", EPISODE) == depth


@pytest.mark.parametrize(
    ("figures", "found"),
    [
        ({"a": [1.0, {"b": float("nan")}]}, "a.1.b is nan"),
        ({"a": float("inf")}, "a is inf"),
        ({"a": 1.1e13}, "a is 1.1e+13"),
        ({"latency_change": -3, "since_ms": 1.8e12}, None),
        ({"units_change": float("-inf")}, "units_change is -inf"),
        ({"monthly_cost": -1}, "monthly_cost is -1"),
        ({"monthly_cost": 1_000_001}, "monthly_cost is 1e+06"),
        ({"plan": {"before": {"units": 0, "mode": "-1"}}, "flag": False, "none": None}, None),
    ],
)
def test_numbers_that_cannot_be_true_are_named(figures: dict[str, Any], found: str | None):
    assert absurdity(figures) == found


def test_a_step_that_is_no_number_is_too_large():
    radius = RADIUS.model_copy(update={"increase_factor": float("nan")})

    assert answer(Gate.BLAST_RADIUS, facts(radius=radius)).reason is Reason.TOO_LARGE_A_STEP
