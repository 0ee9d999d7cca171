"""An alarm's state change as CloudWatch publishes it to SNS.

Messages from before 2020 have no AlarmArn, and their Region is a name for people ("EU (Frankfurt)"): the ARN is put
together from account, name and region. A region is known from the alarm's or the envelope's other ARNs, else by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from selfright.domain.alarms import State
from selfright.domain.errors import BadInputError
from selfright.domain.signal import Signal
from selfright.edge.event_parts import Account, AlarmArn, Filled, Moment, Part, read
from selfright.edge.region_names import REGION_NAMES


class AlarmMessage(Part):
    model_config = ConfigDict(alias_generator=to_pascal)

    alarm_name: Filled
    account: Account = Field(alias="AWSAccountId")
    alarm_arn: AlarmArn | None = None
    region: str = ""
    new_state_value: State
    old_state_value: State | None = None
    new_state_reason: str = ""
    state_change_time: Moment
    alarm_actions: tuple[str, ...] = ()
    alarm_contributor_id: str | None = None
    alarm_rule: str | None = None  # of a composite alarm


def alarm_message_signal(message: Any, topic_arn: str | None = None) -> Signal:
    """A Signal from one message; `topic_arn` is the topic's, where the envelope came along.

    Raises BadInputError naming the field and the rule.
    """
    told = read(AlarmMessage, message)
    arn = told.alarm_arn or _arn(told, topic_arn)
    return Signal(
        account=told.account,
        region=arn.split(":")[3],
        name=told.alarm_name,
        subject=arn,
        state=told.new_state_value,
        previous_state=told.old_state_value,
        at=told.state_change_time,
        reason=told.new_state_reason,
        contributor=told.alarm_contributor_id or None,
        composite=told.alarm_rule is not None,
    )


def _arn(told: AlarmMessage, topic_arn: str | None) -> str:
    partition, region = next(_places(told, topic_arn), ("", ""))
    if not region:
        raise BadInputError("AlarmArn", "must be there, or Region must be one that we know by name")
    return f"arn:{partition}:cloudwatch:{region}:{told.account}:alarm:{told.alarm_name}"


def _places(told: AlarmMessage, topic_arn: str | None) -> Iterator[tuple[str, str]]:
    """Partition and region, from what we trust most on: CloudWatch publishes within the alarm's own region."""
    for arn in (topic_arn or "", *told.alarm_actions):
        match arn.split(":"):
            case ["arn", partition, "sns", region, _, _] if "aws" in partition and "-" in region:
                yield partition, region
    if code := REGION_NAMES.get(told.region):
        yield "aws", code
