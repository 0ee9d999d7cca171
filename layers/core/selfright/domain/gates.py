"""Guards between an alarm and a change. Pure: facts in, verdicts out; a fact that could not be read means stop.

Gates are asked in the order of GATES, all of them every time, so that the record shows every verdict. They are
asked when an incident is taken up and again on fresh state immediately before each change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from selfright.domain.alarms import State
from selfright.domain.manifest import Autonomy, Closure


class Verdict(StrEnum):
    GO = "go"
    ASK = "ask"
    STOP = "stop"


class Gate(StrEnum):
    KILL_SWITCH = "kill-switch"
    WINDOW = "window-or-freeze"
    STALE_EPISODE = "stale-episode"
    MUTED = "muted-or-suppressed"
    AUTONOMY = "autonomy"
    COOL_DOWN = "cool-down"
    LEASE = "lease"
    BLAST_RADIUS = "blast-radius"


class Reason(StrEnum):
    """Why a gate answered as it did; a closed list."""

    FINE = "fine"
    SOURCE_DOWN = "source-down"
    SWITCHED_OFF = "switched-off"
    MAINTENANCE_WINDOW = "maintenance-window"
    CHANGE_FREEZE = "change-freeze"
    ALARM_OVER = "alarm-over"
    ALARM_GONE = "alarm-gone"
    OTHER_EPISODE = "other-episode"
    EPISODE_TOO_OLD = "episode-too-old"
    ALARM_MUTED = "alarm-muted"
    ACTIONS_SUPPRESSED = "actions-suppressed"
    ACTIONS_DISABLED = "actions-disabled"
    OBSERVE_ONLY = "observe-only"
    SUGGEST_ONLY = "suggest-only"
    NEEDS_APPROVAL = "needs-approval"
    TOO_SOON = "too-soon"
    HELD_BY_ANOTHER = "held-by-another"
    TOO_MANY_RESOURCES = "too-many-resources"
    TOO_LARGE_A_STEP = "too-large-a-step"


class GateResult(BaseModel):
    """One gate's answer, with what it looked at. `value` and `threshold` are texts for people."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    gate: Gate
    verdict: Verdict
    reason: Reason
    value: str = ""
    threshold: str = ""


class Unknown(BaseModel):
    """A fact that could not be read, and why."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    error: str


class AlarmNow(BaseModel):
    """How an alarm stands at this moment."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    state: State
    since: datetime
    actions_enabled: bool = True
    suppressed_by: str | None = None
    muted_by: str | None = None


class Radius(BaseModel):
    """How much a planned change would touch, and how much the manifest allows."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    resources: int
    max_resources: int
    increase_factor: float
    max_increase_factor: float


class GateFacts(BaseModel):
    """Everything the gates look at. None: the question does not arise yet (no plan, no lease wanted)."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    now: datetime
    episode: datetime
    stale_after_seconds: float
    cooldown_seconds: float
    kill_switch: bool | Unknown
    window: Closure | None
    by_alarm: bool = (
        True  # False: something else reported the problem, so that no alarm tells whether it is over
    )
    alarm: AlarmNow | Unknown | None
    alarm_exists: bool = True
    autonomy: Autonomy | Unknown | None = None
    last_action_at: datetime | Unknown | None = None
    lease_holder: str | Unknown | None = None
    incident_id: str
    radius: Radius | None = None


def ask_gates(facts: GateFacts) -> tuple[GateResult, ...]:
    """Every gate's verdict on `facts`, in order."""
    return tuple(_GATES[gate](facts) for gate in Gate)


def overall(results: Sequence[GateResult]) -> GateResult | None:
    """The verdict that decides: the first stop, else the first ask, else None (go)."""
    for verdict in (Verdict.STOP, Verdict.ASK):
        for result in results:
            if result.verdict is verdict:
                return result
    return None


def _kill_switch(facts: GateFacts) -> GateResult:
    if isinstance(facts.kill_switch, Unknown):
        return _down(Gate.KILL_SWITCH, facts.kill_switch, "off")
    if facts.kill_switch:
        return _stop(Gate.KILL_SWITCH, Reason.SWITCHED_OFF, "on", "off")
    return _go(Gate.KILL_SWITCH, "off", "off")


def _window(facts: GateFacts) -> GateResult:
    if facts.window is None:
        return _go(Gate.WINDOW, "none", "none")
    reason = Reason.CHANGE_FREEZE if facts.window.reason == "change freeze" else Reason.MAINTENANCE_WINDOW
    value = f"{facts.window.name}, until {_clock(facts.window.until)}"
    return _stop(Gate.WINDOW, reason, value, "none")


# CloudWatch stamps the event and the API answer separately; they differ by milliseconds for one transition.
_SAME_TRANSITION = timedelta(seconds=1)


NO_ALARM = "not reported by an alarm"


def _stale_episode(facts: GateFacts) -> GateResult:
    gate, episode = Gate.STALE_EPISODE, _clock(facts.episode)
    wanted = f"ALARM since {episode}"
    if not facts.by_alarm:
        return _go(gate, NO_ALARM, wanted)
    if not facts.alarm_exists:
        return _stop(gate, Reason.ALARM_GONE, "the alarm does not exist any more", wanted)
    if facts.alarm is None or isinstance(facts.alarm, Unknown):
        return _down(gate, facts.alarm or Unknown(error="not read"), wanted)
    value = f"{facts.alarm.state} since {_clock(facts.alarm.since)}"
    if facts.alarm.state is not State.ALARM:
        return _stop(gate, Reason.ALARM_OVER, value, wanted)
    if facts.alarm.since - facts.episode > _SAME_TRANSITION:
        return _stop(gate, Reason.OTHER_EPISODE, value, wanted)
    age = (facts.now - facts.episode).total_seconds()
    if age > facts.stale_after_seconds:
        return _stop(gate, Reason.EPISODE_TOO_OLD, f"{age:.0f} s old", f"{facts.stale_after_seconds:.0f} s")
    return _go(gate, value, wanted)


def _muted(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.MUTED, "neither"
    if not facts.by_alarm:
        return _go(gate, NO_ALARM, wanted)
    if facts.alarm is None or isinstance(facts.alarm, Unknown):
        return _down(gate, facts.alarm or Unknown(error="not read"), wanted)
    if facts.alarm.muted_by:
        return _stop(gate, Reason.ALARM_MUTED, f"muted by {facts.alarm.muted_by}", wanted)
    if facts.alarm.suppressed_by:
        return _stop(gate, Reason.ACTIONS_SUPPRESSED, f"suppressed by {facts.alarm.suppressed_by}", wanted)
    if not facts.alarm.actions_enabled:
        return _stop(gate, Reason.ACTIONS_DISABLED, "alarm actions are disabled", wanted)
    return _go(gate, "neither", wanted)


def _autonomy(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.AUTONOMY, Autonomy.AUTO.value
    if facts.autonomy is None:
        return _go(gate, "no change is planned yet", wanted)
    if isinstance(facts.autonomy, Unknown):
        return _down(gate, facts.autonomy, wanted)
    value = facts.autonomy.value
    match facts.autonomy:
        case Autonomy.AUTO:
            return _go(gate, value, wanted)
        case Autonomy.APPROVE:
            return GateResult(
                gate=gate, verdict=Verdict.ASK, reason=Reason.NEEDS_APPROVAL, value=value, threshold=wanted
            )
        case Autonomy.SUGGEST:
            return _stop(gate, Reason.SUGGEST_ONLY, value, wanted)
        case _:
            return _stop(gate, Reason.OBSERVE_ONLY, value, wanted)


def _cool_down(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.COOL_DOWN, f"{facts.cooldown_seconds:.0f} s"
    if isinstance(facts.last_action_at, Unknown):
        return _down(gate, facts.last_action_at, wanted)
    if facts.last_action_at is None:
        return _go(gate, "no earlier action", wanted)
    ago = (facts.now - facts.last_action_at).total_seconds()
    value = f"{ago:.0f} s since the last action"
    if ago < facts.cooldown_seconds:
        return _stop(gate, Reason.TOO_SOON, value, wanted)
    return _go(gate, value, wanted)


def _lease(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.LEASE, "free, or ours"
    if isinstance(facts.lease_holder, Unknown):
        return _down(gate, facts.lease_holder, wanted)
    if facts.lease_holder not in {None, facts.incident_id}:
        return _stop(gate, Reason.HELD_BY_ANOTHER, f"held by {facts.lease_holder}", wanted)
    return _go(gate, "ours" if facts.lease_holder else "free", wanted)


def _blast_radius(facts: GateFacts) -> GateResult:
    gate, radius = Gate.BLAST_RADIUS, facts.radius
    if radius is None:
        return _go(gate, "no change is planned yet", "")
    value = f"{radius.resources} resource(s), x{radius.increase_factor:g}"
    wanted = f"{radius.max_resources} resource(s), x{radius.max_increase_factor:g}"
    if radius.resources > radius.max_resources:
        return _stop(gate, Reason.TOO_MANY_RESOURCES, value, wanted)
    if radius.increase_factor > radius.max_increase_factor:
        return _stop(gate, Reason.TOO_LARGE_A_STEP, value, wanted)
    return _go(gate, value, wanted)


_GATES: dict[Gate, Callable[[GateFacts], GateResult]] = {
    Gate.KILL_SWITCH: _kill_switch,
    Gate.WINDOW: _window,
    Gate.STALE_EPISODE: _stale_episode,
    Gate.MUTED: _muted,
    Gate.AUTONOMY: _autonomy,
    Gate.COOL_DOWN: _cool_down,
    Gate.LEASE: _lease,
    Gate.BLAST_RADIUS: _blast_radius,
}


def _go(gate: Gate, value: str, threshold: str) -> GateResult:
    return GateResult(gate=gate, verdict=Verdict.GO, reason=Reason.FINE, value=value, threshold=threshold)


def _stop(gate: Gate, reason: Reason, value: str, threshold: str) -> GateResult:
    return GateResult(gate=gate, verdict=Verdict.STOP, reason=reason, value=value, threshold=threshold)


def _down(gate: Gate, unknown: Unknown, threshold: str) -> GateResult:
    return _stop(gate, Reason.SOURCE_DOWN, unknown.error, threshold)


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
