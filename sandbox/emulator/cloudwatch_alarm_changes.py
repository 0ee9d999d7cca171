"""What CloudWatch does when an alarm changes state: dates, the EventBridge event, the actions.

Every change comes through here: evaluation, composite rules, SetAlarmState. Mute rules and suppressors hold the
actions back, never the event (User Guide, "Alarm events and EventBridge"); held actions are performed once they
are free, if the alarm is still in that state.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from sandbox.emulator import cloudwatch_alarm_actions as actions
from sandbox.emulator import cloudwatch_alarm_documents as documents
from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.cloudwatch_mute_rules import muting_rule
from sandbox.emulator.cloudwatch_suppression import note_departure, suppression
from sandbox.emulator.events_internal import put_aws_event
from sandbox.emulator.ticker import every
from sandbox.emulator.wrapping import original, replace
from selfright.domain.alarms import State

TICK = 10  # seconds between looks at held actions

# API Reference, MetricAlarm.
MAX_REASON = 1023
MAX_REASON_DATA = 4000

Alarm = dict[str, Any]
SetAlarmState = Callable[[dict[str, Any], dict[str, Any], bool, bool], Any]


class Changes:
    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._last: dict[str, dict[str, Any]] = {}  # alarm ARN -> state document of its last event
        self._held: dict[str, dict[str, Any]] = {}  # alarm ARN -> the detail whose actions wait

    def changed(self, alarm: Alarm, old: str) -> None:
        """The alarm record has a new state: date it, tell EventBridge, act."""
        now = self._clock.time()
        alarm["StateUpdatedTimestamp"] = alarm["StateTransitionedTimestamp"] = now
        if old == State.ALARM:
            note_departure(alarm["AlarmArn"], now)
        suppressed = self._note_suppression(alarm, now)
        muted_by = muting_rule(alarm["AlarmName"], now)
        detail = self._tell(alarm, old, now, muted_by)
        if suppressed or muted_by:
            self._held[alarm["AlarmArn"]] = detail
        else:
            self._held.pop(alarm["AlarmArn"], None)
            actions.perform(alarm, detail)

    def release(self, _boundary: int) -> None:
        """Perform held actions that nothing holds back any more."""
        for arn, detail in list(self._held.items()):
            region, account = arn.split(":")[3:5]
            with request_scope(account, region):
                alarm = _record(detail["alarmName"])
                if alarm is None or alarm["StateValue"] != detail["state"]["value"]:
                    self._held.pop(arn, None)
                else:
                    self._release(alarm, detail)

    def _release(self, alarm: Alarm, detail: dict[str, Any]) -> None:
        now = self._clock.time()
        was_suppressed = "ActionsSuppressedBy" in alarm
        if self._note_suppression(alarm, now) or muting_rule(alarm["AlarmName"], now):
            return
        self._held.pop(alarm["AlarmArn"], None)
        if was_suppressed:  # CloudWatch tells of the end of a suppression as of a change
            alarm["StateUpdatedTimestamp"] = now
            detail = self._tell(alarm, alarm["StateValue"], now, muted_by=None)
        actions.perform(alarm, {name: part for name, part in detail.items() if name != "muteDetail"})

    def _tell(self, alarm: Alarm, old: str, now: float, muted_by: str | None) -> dict[str, Any]:
        state = documents.state(alarm)
        previous = self._last.get(alarm["AlarmArn"])
        if previous is None or previous["value"] != old:  # the first change, or of an alarm created anew
            previous = documents.initial_state(alarm, old)
        self._last[alarm["AlarmArn"]] = state
        detail = documents.detail(alarm, state, previous, muted_by)
        put_aws_event(
            source="aws.cloudwatch",
            detail_type="CloudWatch Alarm State Change",
            detail=detail,
            resources=[alarm["AlarmArn"]],
            at=now,
        )
        return detail

    def _note_suppression(self, alarm: Alarm, now: float) -> bool:
        held_by = suppression(alarm, now)
        for name in ("ActionsSuppressedBy", "ActionsSuppressedReason"):
            alarm.pop(name, None)
        if held_by is not None:
            alarm["ActionsSuppressedBy"] = held_by.value
            alarm["ActionsSuppressedReason"] = f"Actions suppressed by {held_by.value}"
        return held_by is not None


def change_state(alarm: Alarm, state: State, reason: str, reason_data: str) -> None:
    """Move a metric alarm to another state, as an evaluation does."""
    old = alarm["StateValue"]
    alarm |= {
        "StateValue": state.value,
        "StateReason": reason[:MAX_REASON],
        "StateReasonData": reason_data[:MAX_REASON_DATA],
    }
    original(cloudwatch, "_record_history")(
        alarm["AlarmName"], old, state.value, reason, "MetricAlarm", json.loads(reason_data)
    )
    original(cloudwatch, "_dispatch_alarm_actions")(alarm, old, state.value, reason)
    original(cloudwatch, "_evaluate_parent_alarms")(alarm)


def install(clock: SandboxClock) -> None:
    changes = Changes(clock)

    def dispatch(_before: Callable[..., None]) -> Callable[[Alarm, str, str, str], None]:
        return lambda alarm, old, _new, _reason: changes.changed(alarm, old)

    replace(cloudwatch, "_dispatch_alarm_actions", dispatch)
    replace(cloudwatch, "_set_alarm_state", _valid_states_only)
    replace(cloudwatch, "_record_history", _creation_is_no_change)
    every(clock, TICK, changes.release, name="cloudwatch-held-actions")


def _valid_states_only(before: SetAlarmState) -> SetAlarmState:
    def set_alarm_state(params: dict[str, Any], data: dict[str, Any], is_cbor: bool, is_json: bool) -> Any:
        value = data.get("StateValue")
        if (is_cbor or is_json) and value not in tuple(State):
            return original(cloudwatch, "_error")(
                "ValidationError",
                f"1 validation error detected: Value '{value}' at 'stateValue' failed to satisfy constraint: "
                "Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
                400,
                use_json=is_json,
                use_cbor=is_cbor,
            )
        alarm = original(cloudwatch, "_alarms").get(data.get("AlarmName"))
        if alarm is not None:
            alarm.pop("StateReasonData", None)  # the reason of an evaluation says nothing about this state
        return before(params, data, is_cbor, is_json)

    return set_alarm_state


def _creation_is_no_change(before: Callable[..., None]) -> Callable[..., None]:
    def record(alarm_name: str, old: str, new: str, *rest: Any, **more: Any) -> None:
        if old != new:
            before(alarm_name, old, new, *rest, **more)

    return record


def _record(name: str) -> Alarm | None:
    found: Alarm | None = original(cloudwatch, "_alarms").get(name)
    if found is None:
        found = original(cloudwatch, "_composite_alarms").get(name)
    return found
