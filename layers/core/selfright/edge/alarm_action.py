"""An alarm's state change as CloudWatch hands it to a Lambda function that is the alarm's action.

Shape: CloudWatch user guide, "Invoke a Lambda function from an alarm".
"""

from __future__ import annotations

from typing import Any, Literal

from selfright.domain.signal import Signal
from selfright.edge.alarm_event import AlarmDetail
from selfright.edge.event_parts import Account, AlarmArn, Filled, Part, read


class AlarmAction(Part):
    source: Literal["aws.cloudwatch"]
    alarm_arn: AlarmArn
    account_id: Account
    region: Filled
    alarm_data: AlarmDetail


def alarm_action_signal(event: Any) -> Signal:
    """A Signal from one invocation.

    Raises BadInputError naming the field and the rule.
    """
    action = read(AlarmAction, event)
    return action.alarm_data.signal(action.account_id, action.region, action.alarm_arn)
