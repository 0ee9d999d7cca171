"""May we act on this alarm and this resource at all, and by ourselves?"""

from __future__ import annotations

from datetime import timedelta

from selfright.domain.alarms import State
from selfright.domain.gates.answers import Gate, GateResult, Reason, ask, down, go, moment, stop
from selfright.domain.gates.facts import GateFacts, Unknown
from selfright.domain.gates.history import FLAPS, FLAPS_WITHIN, QUIET_FOR, changes_within, flapping
from selfright.domain.gates.sanity import absurdity
from selfright.domain.manifest import Autonomy

# CloudWatch stamps the event and the API answer separately; they differ by milliseconds for one transition.
SAME_TRANSITION = timedelta(seconds=1)
NOT_PLANNED = "no change is planned yet"
NO_ALARM = "not reported by an alarm"


def kill_switch(facts: GateFacts) -> GateResult:
    if isinstance(facts.kill_switch, Unknown):
        return down(Gate.KILL_SWITCH, facts.kill_switch, "off")
    if facts.kill_switch:
        return stop(Gate.KILL_SWITCH, Reason.SWITCHED_OFF, "on", "off")
    return go(Gate.KILL_SWITCH, "off", "off")


def window(facts: GateFacts) -> GateResult:
    if facts.window is None:
        return go(Gate.WINDOW, "none", "none")
    reason = Reason.CHANGE_FREEZE if facts.window.reason == "change freeze" else Reason.MAINTENANCE_WINDOW
    return stop(Gate.WINDOW, reason, f"{facts.window.name}, until {moment(facts.window.until)}", "none")


def stale_episode(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.STALE_EPISODE, f"ALARM since {moment(facts.episode)}"
    if not facts.by_alarm:
        return go(gate, NO_ALARM, wanted)
    if not facts.alarm_exists:
        return stop(gate, Reason.ALARM_GONE, "the alarm does not exist any more", wanted)
    if facts.alarm is None or isinstance(facts.alarm, Unknown):
        return down(gate, facts.alarm or Unknown(error="not read"), wanted)
    value = f"{facts.alarm.state} since {moment(facts.alarm.since)}"
    if facts.alarm.state is not State.ALARM:
        return stop(gate, Reason.ALARM_OVER, value, wanted)
    if facts.alarm.since - facts.episode > SAME_TRANSITION:
        return stop(gate, Reason.OTHER_EPISODE, value, wanted)
    age = (facts.now - facts.episode).total_seconds()
    if age > facts.stale_after_seconds:
        return stop(gate, Reason.EPISODE_TOO_OLD, f"{age:.0f} s old", f"{facts.stale_after_seconds:.0f} s")
    return go(gate, value, wanted)


def muted(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.MUTED, "neither"
    if not facts.by_alarm:
        return go(gate, NO_ALARM, wanted)
    if facts.alarm is None or isinstance(facts.alarm, Unknown):
        return down(gate, facts.alarm or Unknown(error="not read"), wanted)
    if facts.alarm.muted_by:
        return stop(gate, Reason.ALARM_MUTED, f"muted by {facts.alarm.muted_by}", wanted)
    if facts.alarm.suppressed_by:
        return stop(gate, Reason.ACTIONS_SUPPRESSED, f"suppressed by {facts.alarm.suppressed_by}", wanted)
    if not facts.alarm.actions_enabled:
        return stop(gate, Reason.ACTIONS_DISABLED, "alarm actions are disabled", wanted)
    return go(gate, "neither", wanted)


def release(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.RELEASE, "none on its way, fresh, or just taken back"
    if isinstance(facts.release, Unknown):
        return down(gate, facts.release, wanted)
    if facts.release:
        return stop(gate, Reason.RELEASE_ANSWERS, facts.release, wanted)
    return go(gate, "none", wanted)


def protected(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.PROTECTED, "not protected"
    if not facts.protected:
        return go(gate, wanted, wanted)
    if not facts.planned:
        return go(gate, "protected: it is only looked at", wanted)
    return stop(gate, Reason.RESOURCE_PROTECTED, "the manifest protects this resource", wanted)


def absurd_input(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.ABSURD, "finite, not negative, not beyond what can be"
    if found := absurdity(facts.figures):
        return stop(gate, Reason.IMPOSSIBLE_NUMBER, found, wanted)
    return go(gate, "every number can be true", wanted)


def verifiable(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.VERIFIABLE, "a rule over one series of numbers"
    if not facts.planned:
        return go(gate, NOT_PLANNED, wanted)
    if not facts.by_alarm:
        return stop(gate, Reason.NO_VERDICT_POSSIBLE, NO_ALARM, wanted)
    if facts.alarm is None or isinstance(facts.alarm, Unknown):
        return down(gate, facts.alarm or Unknown(error="not read"), wanted)
    if facts.alarm.unjudgeable:
        return stop(gate, Reason.NO_VERDICT_POSSIBLE, facts.alarm.unjudgeable, wanted)
    return go(gate, wanted, wanted)


def autonomy(facts: GateFacts) -> GateResult:
    gate, wanted = Gate.AUTONOMY, Autonomy.AUTO.value
    if facts.autonomy is None:
        return go(gate, NOT_PLANNED, wanted)
    if isinstance(facts.autonomy, Unknown):
        return down(gate, facts.autonomy, wanted)
    value = facts.autonomy.value
    match facts.autonomy:
        case Autonomy.AUTO:
            return go(gate, value, wanted)
        case Autonomy.APPROVE:
            return ask(gate, Reason.NEEDS_APPROVAL, value, wanted)
        case Autonomy.SUGGEST:
            return stop(gate, Reason.SUGGEST_ONLY, value, wanted)
        case _:
            return stop(gate, Reason.OBSERVE_ONLY, value, wanted)


def flaps(facts: GateFacts) -> GateResult:
    gate = Gate.FLAPPING
    wanted = f"fewer than {FLAPS} in an hour, or an hour's quiet since"
    if not facts.by_alarm:
        return go(gate, NO_ALARM, wanted)
    if isinstance(facts.alarm_changes, Unknown):
        return down(gate, facts.alarm_changes, wanted)
    value = (
        f"{changes_within(facts.alarm_changes, facts.now, FLAPS_WITHIN)} change(s) of state in the last hour"
    )
    if not flapping(facts.alarm_changes, facts.now):
        return go(gate, value, wanted)
    if not facts.planned:
        return go(gate, f"{value}: a change will need people", wanted)
    return ask(gate, Reason.ALARM_FLAPS, f"{value}, never {QUIET_FOR.seconds // 60} min quiet since", wanted)
