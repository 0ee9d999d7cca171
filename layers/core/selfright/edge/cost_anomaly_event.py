"""Cost Anomaly Detection: spending is unlike before.

Shape: Cost Management user guide, "Using EventBridge with Cost Anomaly Detection". An anomaly that goes on is told
again with a later end: that is another fact. Amounts are not read, see budget_message.py.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from selfright.domain.alarms import State
from selfright.domain.manifest import Severity
from selfright.domain.signal import Signal, SignalKind
from selfright.edge.event_parts import Bridged, Filled, Part, read


class _Detail(Part):
    anomaly_id: Filled
    anomaly_end_date: str = ""
    dimension_value: str = ""
    monitor_arn: str = ""


class _CostAnomaly(Bridged):
    detail_type: Literal["Anomaly Detected"] = Field(alias="detail-type")
    source: Literal["aws.ce"]
    resources: tuple[str, ...] = ()
    detail: _Detail


def cost_anomaly_signal(event: Any) -> Signal:
    """A Signal from one event. Raises BadInputError naming the field and the rule."""
    told = read(_CostAnomaly, event)
    detail = told.detail
    about = detail.dimension_value or "the account"
    return Signal(
        kind=SignalKind.COST_ANOMALY,
        account=told.account,
        region=told.region,
        name=about,
        subject=detail.anomaly_id,
        state=State.ALARM,
        at=told.time,
        reason=f"the cost of {about} is unlike before",
        fact=detail.anomaly_end_date,
        resources=tuple(arn for arn in (*told.resources, detail.monitor_arn) if arn),
        severity=Severity.MEDIUM,
    )
