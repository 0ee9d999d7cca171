"""An alarm's state change as EventBridge sends it, or that of one contributor of an alarm over many time series.

Shape: CloudWatch user guide, "Alarm events and EventBridge". Only what we read is modelled; AWS may add fields.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, Field

from selfright.domain.alarms import State
from selfright.domain.signal import Signal
from selfright.edge.event_parts import Account, Filled, Moment, Part, read


class AlarmState(Part):
    value: State
    reason: str = ""
    timestamp: Moment
    actions_suppressed_by: str | None = None


class PreviousState(Part):
    value: State | None = None


class Mute(Part):
    muted_by: str | None = Field(default=None, validation_alias=AliasChoices("mutedByArn", "mutedBy"))


class Configuration(Part):
    alarm_rule: str | None = None  # of a composite alarm


class Contributor(Part):
    """One time series of an alarm over many."""

    id: Filled


class AlarmDetail(Part):
    """An event's detail; alarmData of a Lambda action has the same shape."""

    alarm_name: Filled
    state: AlarmState
    previous_state: PreviousState = PreviousState()
    mute_detail: Mute | None = None
    alarm_contributor: Contributor | None = None
    configuration: Configuration = Configuration()

    def signal(self, account: str, region: str, arn: str) -> Signal:
        mute, contributor = self.mute_detail, self.alarm_contributor
        return Signal(
            account=account,
            region=region,
            name=self.alarm_name,
            subject=arn,
            state=self.state.value,
            previous_state=self.previous_state.value,
            at=self.state.timestamp,
            reason=self.state.reason,
            muted_by=(mute.muted_by or "a mute rule") if mute else None,
            suppressed_by=self.state.actions_suppressed_by,
            contributor=contributor.id if contributor else None,
            composite=self.configuration.alarm_rule is not None,
        )


class AlarmStateChange(Part):
    detail_type: Literal["CloudWatch Alarm State Change", "CloudWatch Alarm Contributor State Change"] = (
        Field(alias="detail-type")
    )
    source: Literal["aws.cloudwatch"]
    account: Account
    region: Filled
    resources: tuple[str, ...] = Field(min_length=1)
    detail: AlarmDetail


def alarm_signal(event: Any) -> Signal:
    """A Signal from one EventBridge event.

    Raises BadInputError naming the field and the rule.
    """
    change = read(AlarmStateChange, event)
    return change.detail.signal(change.account, change.region, change.resources[0])
