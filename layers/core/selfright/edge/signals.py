"""Whatever wakes intake, made one Signal: the sender is known by its shape, and each has a file of its own.

docs/intake.md lists the senders and what becomes of each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from selfright.domain.errors import BadInputError
from selfright.domain.signal import Signal
from selfright.edge.alarm_action import alarm_action_signal
from selfright.edge.alarm_event import alarm_signal
from selfright.edge.alarm_message import alarm_message_signal
from selfright.edge.backup_event import backup_signal
from selfright.edge.budget_message import budget_signal
from selfright.edge.canary_event import canary_signal
from selfright.edge.cost_anomaly_event import cost_anomaly_signal
from selfright.edge.deployment_event import deployment_signal
from selfright.edge.event_parts import from_json, refused
from selfright.edge.execution_event import execution_signal
from selfright.edge.health_event import health_signal
from selfright.edge.sns_envelope import opened
from selfright.edge.stack_event import drift_signal, stack_signal

BY_DETAIL_TYPE: dict[str, Callable[[Any], Signal]] = {
    "CloudWatch Alarm State Change": alarm_signal,
    "CloudWatch Alarm Contributor State Change": alarm_signal,
    "AWS Health Event": health_signal,
    "Anomaly Detected": cost_anomaly_signal,
    "Backup Job State Change": backup_signal,
    "Restore Job State Change": backup_signal,
    "Copy Job State Change": backup_signal,
    "CloudFormation Stack Status Change": stack_signal,
    "CloudFormation Drift Detection Status Change": drift_signal,
    "CodeDeploy Deployment State-change Notification": deployment_signal,
    "Step Functions Execution Status Change": execution_signal,
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
    if envelope := opened(content):
        content, topic_arn = from_json(envelope.message), envelope.topic_arn
    match content:
        case {"detail-type": str(detail_type)} if detail_type in BY_DETAIL_TYPE:
            return BY_DETAIL_TYPE[detail_type](content)
        case {"alarmData": _}:
            return alarm_action_signal(content)
        case {"AlarmName": _, "NewStateValue": _}:
            return alarm_message_signal(content, topic_arn)
        case {"canary": _}:
            return canary_signal(content)
        case {"detail-type": _}:
            raise BadInputError("detail-type", f"must be one of {', '.join(BY_DETAIL_TYPE)}")
        case str():
            return budget_signal(content)
        case _:
            raise BadInputError("event", "must be the event of a sender that we know")
