"""AWS Health: something at AWS concerns our resources, or will.

Shape: AWS Health user guide, "AWS Health events Amazon EventBridge schema". Old events have no communicationId.
A long list of resources comes in pages; each page has a communicationId of its own and is a fact of its own.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from selfright.domain.alarms import State
from selfright.domain.manifest import Severity
from selfright.domain.signal import Signal, SignalKind
from selfright.edge.event_parts import Account, Bridged, Filled, Part, read

_SEVERITIES = {
    "issue": Severity.HIGH,
    "investigation": Severity.MEDIUM,
    "scheduledChange": Severity.LOW,
    "plannedChange": Severity.LOW,
    "accountNotification": Severity.LOW,
}


class _Description(Part):
    latest_description: str = ""


class _Entity(Part):
    entity_value: Filled


class _Detail(Part):
    event_arn: Filled
    service: Filled
    event_type_code: Filled
    event_type_category: Filled
    status_code: Literal["open", "upcoming", "closed"] = "open"
    communication_id: str = ""
    event_region: str = ""
    affected_account: Account | None = None
    event_description: tuple[_Description, ...] = ()
    affected_entities: tuple[_Entity, ...] = ()


class _HealthEvent(Bridged):
    detail_type: Literal["AWS Health Event"] = Field(alias="detail-type")
    source: Literal["aws.health"]
    resources: tuple[str, ...] = ()
    detail: _Detail


def health_signal(event: Any) -> Signal:
    """A Signal from one event. Raises BadInputError naming the field and the rule."""
    told = read(_HealthEvent, event)
    detail = told.detail
    account = detail.affected_account or told.account
    communication = detail.communication_id or f"{detail.status_code} {told.time.isoformat()}"
    return Signal(
        kind=SignalKind.HEALTH,
        account=account,
        region=detail.event_region or told.region,
        name=detail.event_type_code,
        subject=detail.event_arn,
        state=State.OK if detail.status_code == "closed" else State.ALARM,
        at=told.time,
        reason=detail.event_description[0].latest_description if detail.event_description else "",
        fact=f"{account} {communication}",  # one event ARN can concern many accounts
        resources=(*told.resources, *(e.entity_value for e in detail.affected_entities)),
        severity=_SEVERITIES.get(detail.event_type_category, Severity.MEDIUM),
    )
