"""An alarm's state change as EventBridge sends it ("CloudWatch Alarm State Change"), made a Signal.

Shape: CloudWatch user guide, "Alarm events and EventBridge". Only what we read is modelled; AWS may add fields.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from selfright.domain.alarms import State
from selfright.domain.errors import BadInputError
from selfright.domain.signal import Signal


def _moment(value: Any) -> Any:
    """CloudWatch writes 2026-11-23T10:00:00.000+0000, EventBridge 2026-11-23T10:00:00Z; both mean UTC."""
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - pydantic turns ValueError into a validation error
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("must say its offset from UTC")
    return moment.astimezone(UTC)


Moment = Annotated[datetime, BeforeValidator(_moment)]


class _Part(BaseModel):
    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )


class _AlarmState(_Part):
    value: State
    reason: str = ""
    timestamp: Moment
    actions_suppressed_by: str | None = None


class _PreviousState(_Part):
    value: State | None = None


class _Mute(_Part):
    muted_by: str | None = None


class _Detail(_Part):
    alarm_name: str = Field(min_length=1)
    state: _AlarmState
    previous_state: _PreviousState = _PreviousState()
    mute_detail: _Mute | None = None


class AlarmStateChange(_Part):
    detail_type: Literal["CloudWatch Alarm State Change"] = Field(alias="detail-type")
    source: Literal["aws.cloudwatch"]
    account: str = Field(pattern=r"^\d{12}$")
    region: str = Field(min_length=1)
    resources: tuple[str, ...] = Field(min_length=1)
    detail: _Detail


def alarm_signal(event: Any) -> Signal:
    """A Signal from one EventBridge event.

    Raises BadInputError naming the field and the rule.
    """
    try:
        change = AlarmStateChange.model_validate(event)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadInputError(".".join(str(p) for p in first["loc"]) or "event", first["msg"]) from None
    detail = change.detail
    mute = detail.mute_detail
    return Signal(
        account=change.account,
        region=change.region,
        alarm_name=detail.alarm_name,
        alarm_arn=change.resources[0],
        state=detail.state.value,
        previous_state=detail.previous_state.value,
        at=detail.state.timestamp,
        reason=detail.state.reason,
        muted_by=(mute.muted_by or "a mute rule") if mute else None,
        suppressed_by=detail.state.actions_suppressed_by,
    )
