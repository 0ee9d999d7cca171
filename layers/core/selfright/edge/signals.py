"""Whatever wakes intake, made one Signal: the sender is known by its shape, and each has a file of its own.

docs/intake.md lists the senders and what becomes of each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from selfright.domain.errors import BadInputError
from selfright.domain.signal import Signal
from selfright.edge.event_parts import from_json, refused
from selfright.edge.sns_envelope import opened

# A function that wakes up for an alarm does not import the other senders: that would cost it 10 ms of CPU.
BY_DETAIL_TYPE = {
    "CloudWatch Alarm State Change": "alarm_event:alarm_signal",
    "CloudWatch Alarm Contributor State Change": "alarm_event:alarm_signal",
    "AWS Health Event": "health_event:health_signal",
    "Anomaly Detected": "cost_anomaly_event:cost_anomaly_signal",
    "Backup Job State Change": "backup_event:backup_signal",
    "Restore Job State Change": "backup_event:backup_signal",
    "Copy Job State Change": "backup_event:backup_signal",
    "CloudFormation Stack Status Change": "stack_event:stack_signal",
    "CloudFormation Drift Detection Status Change": "stack_event:drift_signal",
    "CodeDeploy Deployment State-change Notification": "deployment_event:deployment_signal",
    "Step Functions Execution Status Change": "execution_event:execution_signal",
}


def signal(event: Any) -> Signal:
    """The Signal in an event, or in the text of a queue's message.

    Raises BadInputError naming the field and the rule, and nothing else, whatever is handed in.
    """
    try:
        return _signal(event)
    except ValidationError as error:  # a value that its sender's model allows and a Signal does not
        raise refused(error) from None


def _signal(event: Any) -> Signal:
    content = from_json(event) if isinstance(event, str) else event
    topic_arn = None
    if not _is_known(content) and (envelope := opened(content)):
        content, topic_arn = from_json(envelope.message), envelope.topic_arn
    if _is_known(content):
        return _reader(BY_DETAIL_TYPE[content["detail-type"]])(content)
    match content:
        case {"alarmData": _}:
            from selfright.edge.alarm_action import alarm_action_signal

            return alarm_action_signal(content)
        case {"AlarmName": _, "NewStateValue": _}:
            from selfright.edge.alarm_message import alarm_message_signal

            return alarm_message_signal(content, topic_arn)
        case {"canary": _}:
            from selfright.edge.canary_event import canary_signal

            return canary_signal(content)
        case {"detail-type": _}:
            raise BadInputError("detail-type", f"must be one of {', '.join(BY_DETAIL_TYPE)}")
        case str():
            from selfright.edge.budget_message import budget_signal

            return budget_signal(content)
        case _:
            raise BadInputError("event", "must be the event of a sender that we know")


def _is_known(content: Any) -> bool:
    """Whether EventBridge sent it, for a sender that we know: asked first, because nearly every signal is one."""
    if not isinstance(content, dict):
        return False
    detail_type = content.get("detail-type")
    return isinstance(detail_type, str) and detail_type in BY_DETAIL_TYPE


@cache
def _reader(where: str) -> Callable[[Any], Signal]:
    """The function that `where` names as module:function of this package."""
    module, function = where.split(":")
    found: Callable[[Any], Signal] = getattr(import_module(f"selfright.edge.{module}"), function)
    return found
