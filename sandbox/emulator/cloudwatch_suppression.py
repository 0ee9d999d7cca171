"""Composite alarms: the product's rule evaluation, and a suppressor alarm that holds their actions back.

MiniStack drops the suppressor of PutCompositeAlarm. It is kept beside the alarm record because the alarm's first
change happens while the record is being stored.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import original, replace
from selfright.domain.alarms import ActionsSuppressor, CompositeRule, State, SuppressedBy
from selfright.domain.errors import BadInputError

FIELDS = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")

Alarm = dict[str, Any]
PutAlarm = Callable[[dict[str, Any], dict[str, Any], bool, bool], Any]

_suppressors: dict[str, ActionsSuppressor] = {}  # by the ARN of the composite alarm
_left_alarm: dict[str, float] = {}  # alarm ARN -> when it last went out of ALARM


def note_departure(arn: str, now: float) -> None:
    """An alarm went out of ALARM; it may be a suppressor."""
    _left_alarm[arn] = now


def suppression(alarm: Alarm, now: float) -> SuppressedBy | None:
    """What holds the actions of this alarm back at `now`."""
    suppressor = _suppressors.get(alarm["AlarmArn"])
    if suppressor is None:
        return None
    record = _alarm(suppressor.alarm)
    if record is None:
        return None
    left = _left_alarm.get(record["AlarmArn"])
    return suppressor.suppresses(
        datetime.fromtimestamp(now, UTC),
        changed=datetime.fromtimestamp(alarm["StateUpdatedTimestamp"], UTC),
        suppressor=State(record["StateValue"]),
        left_alarm=None if left is None else datetime.fromtimestamp(left, UTC),
    )


def install(_clock: SandboxClock) -> None:
    replace(cloudwatch, "_composite_rule_state", lambda _before: _rule_state)
    replace(cloudwatch, "_put_composite_alarm", _keeping_the_suppressor)


def _rule_state(alarm: Alarm) -> str:
    rule = CompositeRule.parse(alarm["AlarmRule"])
    states = {child: State(record["StateValue"]) for child in rule.children if (record := _alarm(child))}
    return rule.evaluate(states).value


def _keeping_the_suppressor(before: PutAlarm) -> PutAlarm:
    def put(params: dict[str, Any], data: dict[str, Any], is_cbor: bool, is_json: bool) -> Any:
        def refuse(message: str) -> Any:
            return original(cloudwatch, "_error")(
                "ValidationError", message, 400, use_json=is_json, use_cbor=is_cbor
            )

        if not (is_cbor or is_json):
            return before(params, data, is_cbor, is_json)
        name = data.get("AlarmName", "")
        arn = f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"
        try:
            original(cloudwatch, "_parse_alarm_rule")(data.get("AlarmRule", ""))
            CompositeRule.parse(data["AlarmRule"])
            suppressor = ActionsSuppressor.parse(data)
        except ValueError:
            return before(params, data, is_cbor, is_json)  # which answers in AWS's words
        except BadInputError as error:
            return refuse(str(error))
        if suppressor is not None and _alarm(suppressor.alarm) is None:
            return refuse(f"The suppressor alarm {suppressor.alarm} does not exist")
        earlier = original(cloudwatch, "_composite_alarms").get(name)
        if suppressor is None:
            _suppressors.pop(arn, None)
        else:
            _suppressors[arn] = suppressor
        answer = before(params, data, is_cbor, is_json)
        record = original(cloudwatch, "_composite_alarms").get(name)
        if record is not None and record is not earlier:
            record |= {field: data[field] for field in FIELDS if data.get(field) is not None}
        return answer

    return put


def _alarm(reference: str) -> Alarm | None:
    """The metric or composite alarm that a name or ARN names."""
    name = original(cloudwatch, "_rule_ref_name")(reference)
    for store in (original(cloudwatch, "_alarms"), original(cloudwatch, "_composite_alarms")):
        if record := store.get(name):
            found: Alarm = record
            return found
    return None
