"""CodeDeploy: how a deployment went. Events of single instances are refused: we look after functions.

Shape: CodeDeploy user guide, "Monitoring deployments with Amazon CloudWatch Events".
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from selfright.domain.alarms import State
from selfright.domain.manifest import Severity
from selfright.domain.signal import Signal, SignalKind
from selfright.edge.event_parts import Bridged, Filled, Part, read

_STATES = {
    "FAILURE": State.ALARM,
    "STOP": State.ALARM,  # stopped by a person, or by an alarm of the deployment group
    "SUCCESS": State.OK,
    "START": State.INSUFFICIENT_DATA,
    "READY": State.INSUFFICIENT_DATA,
}


class _Detail(Part):
    state: Literal["FAILURE", "STOP", "SUCCESS", "START", "READY"]
    deployment_id: Filled
    application: Filled
    deployment_group: str = ""


class _DeploymentEvent(Bridged):
    detail_type: Literal["CodeDeploy Deployment State-change Notification"] = Field(alias="detail-type")
    source: Literal["aws.codedeploy"]
    detail: _Detail


def deployment_signal(event: Any) -> Signal:
    """A Signal from one event. Raises BadInputError naming the field and the rule."""
    told = read(_DeploymentEvent, event)
    detail = told.detail
    return Signal(
        kind=SignalKind.DEPLOYMENT,
        account=told.account,
        region=told.region,
        name=detail.application,
        subject=detail.deployment_id,
        state=_STATES[detail.state],
        at=told.time,
        reason=f"deployment {detail.deployment_id} of {detail.deployment_group or detail.application}: {detail.state}",
        fact=detail.state,
        severity=Severity.HIGH,
    )
