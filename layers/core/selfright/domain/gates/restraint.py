"""Not too often, not too wide, not against what was learned, and never two at once."""

from __future__ import annotations

from selfright.domain.gates.answers import Gate, GateResult, Reason, down, go, stop
from selfright.domain.gates.facts import GateFacts, Unknown
from selfright.domain.gates.history import (
    BACK_OFF,
    BLOCKED_FOR,
    CHANGES_PER_TARGET,
    FAILURES_IN_A_ROW,
    INEFFECTIVE_REPEATS,
    MAX_CAUSAL_DEPTH,
    causal_depth,
    failures_in_a_row,
    ineffective_repeats,
    last_failure,
    on_target,
)
from selfright.domain.gates.permission import NOT_PLANNED
from selfright.domain.gates.storm import LEAST


def storm(facts: GateFacts) -> GateResult:
    gate = Gate.STORM
    if isinstance(facts.storm, Unknown):
        return down(gate, facts.storm, "no storm")
    seen = facts.storm
    value = f"{seen.unhealthy} of {seen.resources} resources in trouble ({seen.share:.0%})"
    wanted = f"below {seen.limit:.0%}, or fewer than {LEAST}"
    if seen.rages:
        return stop(gate, Reason.TOO_MANY_IN_TROUBLE, value, wanted)
    return go(gate, value, wanted)


def own_action(facts: GateFacts) -> GateResult:
    gate = Gate.OWN_ACTION
    wanted = f"depth below {MAX_CAUSAL_DEPTH}, fewer than {CHANGES_PER_TARGET} changes a day"
    if isinstance(facts.changes, Unknown):
        return down(gate, facts.changes, wanted)
    depth = causal_depth(facts.changes, facts.incident_id, facts.episode)
    made = on_target(facts.changes, facts.now)
    value = f"depth {depth}, {made} change(s) to the target in 24 h"
    if depth >= MAX_CAUSAL_DEPTH:
        return stop(gate, Reason.CAUSED_BY_US, value, wanted)
    if made >= CHANGES_PER_TARGET:
        return stop(gate, Reason.TARGET_SPENT, value, wanted)
    return go(gate, value, wanted)


def attempts(facts: GateFacts) -> GateResult:
    gate = Gate.ATTEMPTS
    wanted = (
        f"{facts.attempts_allowed} attempts, fewer than {INEFFECTIVE_REPEATS} repeats without effect in 24 h"
    )
    if isinstance(facts.changes, Unknown):
        return down(gate, facts.changes, wanted)
    repeats = ineffective_repeats(facts.changes, facts.remedy, facts.now) if facts.remedy else 0
    value = f"attempt {facts.attempt}, {repeats} repeat(s) without effect"
    if facts.attempt > facts.attempts_allowed:
        return stop(gate, Reason.TOO_MANY_ATTEMPTS, value, wanted)
    if repeats >= INEFFECTIVE_REPEATS:
        return stop(gate, Reason.INEFFECTIVE_CHAIN, value, wanted)
    return go(gate, value, wanted)


def failures(facts: GateFacts) -> GateResult:
    gate = Gate.FAILURES
    wanted = f"fewer than {FAILURES_IN_A_ROW}, or {BLOCKED_FOR.seconds // 60} min since the last"
    if isinstance(facts.changes, Unknown):
        return down(gate, facts.changes, wanted)
    count, last = failures_in_a_row(facts.changes, facts.now), last_failure(facts.changes, facts.now)
    if last is None:
        return go(gate, "none", wanted)
    since = facts.now - last
    value = f"{count} in a row, the last {since.total_seconds():.0f} s ago"
    if count >= FAILURES_IN_A_ROW and since < BLOCKED_FOR:
        return stop(gate, Reason.FAILED_TOO_OFTEN, value, wanted)
    return go(gate, value, wanted)


def back_off(facts: GateFacts) -> GateResult:
    gate = Gate.BACK_OFF
    if isinstance(facts.changes, Unknown):
        return down(gate, facts.changes, "rest after a failure")
    count, last = failures_in_a_row(facts.changes, facts.now), last_failure(facts.changes, facts.now)
    if not count or last is None:
        return go(gate, "no failure to rest from", "rest after a failure")
    rest, since = BACK_OFF[min(count, len(BACK_OFF)) - 1], facts.now - last
    value = f"{since.total_seconds():.0f} s since failure {count} in a row"
    wanted = f"{rest.total_seconds():.0f} s"
    if facts.planned and since < rest:
        return stop(gate, Reason.BACKING_OFF, value, wanted)
    return go(gate, value, wanted)


def cool_down(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.COOL_DOWN, f"{facts.cooldown_seconds:.0f} s"
    if isinstance(facts.last_action_at, Unknown):
        return down(gate, facts.last_action_at, wanted)
    if facts.last_action_at is None:
        return go(gate, "no earlier action", wanted)
    ago = (facts.now - facts.last_action_at).total_seconds()
    value = f"{ago:.0f} s since the last action"
    if ago < facts.cooldown_seconds:
        return stop(gate, Reason.TOO_SOON, value, wanted)
    return go(gate, value, wanted)


def budget(facts: GateFacts) -> GateResult:
    gate = Gate.BUDGET
    if isinstance(facts.spent, Unknown):
        return down(gate, facts.spent, "within the hour's and the day's")
    spent = facts.spent
    value, wanted = f"{spent.hour} this hour, {spent.day} in 24 h", f"{spent.per_hour} and {spent.per_day}"
    if spent.hour >= spent.per_hour:
        return stop(gate, Reason.HOUR_SPENT, value, wanted)
    if spent.day >= spent.per_day:
        return stop(gate, Reason.DAY_SPENT, value, wanted)
    return go(gate, value, wanted)


def lease(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.LEASE, "free, or ours"
    if isinstance(facts.lease_holder, Unknown):
        return down(gate, facts.lease_holder, wanted)
    if facts.lease_holder not in {None, facts.incident_id}:
        return stop(gate, Reason.HELD_BY_ANOTHER, f"held by {facts.lease_holder}", wanted)
    return go(gate, "ours" if facts.lease_holder else "free", wanted)


def blast_radius(facts: GateFacts) -> GateResult:
    gate, radius = Gate.BLAST_RADIUS, facts.radius
    if radius is None:
        return go(gate, NOT_PLANNED, "")
    value = f"{radius.resources} resource(s), x{radius.increase_factor:g}"
    wanted = f"{radius.max_resources} resource(s), x{radius.max_increase_factor:g}"
    if radius.resources > radius.max_resources:
        return stop(gate, Reason.TOO_MANY_RESOURCES, value, wanted)
    # Written so that a factor that is not a number does not pass.
    if not radius.increase_factor <= radius.max_increase_factor:
        return stop(gate, Reason.TOO_LARGE_A_STEP, value, wanted)
    return go(gate, value, wanted)
