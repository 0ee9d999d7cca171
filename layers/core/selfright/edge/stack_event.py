"""CloudFormation: how a stack's deployment went, and whether somebody changed the stack by hand.

Shape: CloudFormation user guide, "Managing events with CloudFormation and Amazon EventBridge".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from selfright.domain.alarms import State
from selfright.domain.errors import BadInputError
from selfright.domain.manifest import Severity
from selfright.domain.signal import Signal, SignalKind
from selfright.edge.event_parts import Bridged, Filled, Part, read

StackId = Annotated[
    str, Field(pattern=r"^arn:aws[a-z-]*:cloudformation:[a-z0-9-]+:\d{12}:stack/[^/]+(/.*)?$")
]


class _Hyphenated(Part):
    """CloudFormation alone writes its fields with hyphens."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))


class _Status(_Hyphenated):
    status: Filled
    status_reason: str = ""


class _StatusDetail(_Hyphenated):
    stack_id: StackId
    status_details: _Status
    client_request_token: str = ""


class _StackStatus(Bridged):
    detail_type: Literal["CloudFormation Stack Status Change"] = Field(alias="detail-type")
    source: Literal["aws.cloudformation"]
    detail: _StatusDetail


class _Drift(_Hyphenated):
    stack_drift_status: Literal["DRIFTED", "IN_SYNC", "UNKNOWN", "NOT_CHECKED"]
    detection_status: str = ""


class _DriftDetail(_Hyphenated):
    stack_id: StackId
    stack_drift_detection_id: Filled
    status_details: _Drift


class _StackDrift(Bridged):
    detail_type: Literal["CloudFormation Drift Detection Status Change"] = Field(alias="detail-type")
    source: Literal["aws.cloudformation"]
    detail: _DriftDetail


_DRIFTS = {"DRIFTED": State.ALARM, "IN_SYNC": State.OK}


def stack_signal(event: Any) -> Signal:
    """A Signal from one change of a stack's status. Raises BadInputError naming the field and the rule."""
    told = read(_StackStatus, event)
    detail, status = told.detail, told.detail.status_details
    return Signal(
        kind=SignalKind.STACK,
        account=told.account,
        region=told.region,
        name=_stack_name(detail.stack_id),
        subject=detail.stack_id,
        state=_state(status.status),
        at=told.time,
        reason=f"the stack is {status.status}"
        + (f": {status.status_reason}" if status.status_reason else ""),
        fact=f"{status.status} {detail.client_request_token} {told.time.isoformat()}",
        resources=(detail.stack_id,),
        severity=Severity.HIGH,
    )


def drift_signal(event: Any) -> Signal:
    """A Signal from one finished drift detection. Raises BadInputError naming the field and the rule."""
    told = read(_StackDrift, event)
    detail, drift = told.detail, told.detail.status_details.stack_drift_status
    return Signal(
        kind=SignalKind.DRIFT,
        account=told.account,
        region=told.region,
        name=_stack_name(detail.stack_id),
        subject=detail.stack_id,
        state=_DRIFTS.get(drift, State.INSUFFICIENT_DATA),
        at=told.time,
        reason=f"the stack is {drift}: compare it with its template",
        fact=f"{detail.stack_drift_detection_id} {drift}",
        resources=(detail.stack_id,),
        severity=Severity.LOW,
    )


def _stack_name(stack_id: str) -> str:
    return stack_id.split(":", 5)[5].split("/")[1]


def _state(status: str) -> State:
    """A rollback that is complete is still a deployment that failed."""
    if status.endswith(("_FAILED", "ROLLBACK_COMPLETE")):
        return State.ALARM
    if status.endswith("_IN_PROGRESS"):
        return State.INSUFFICIENT_DATA
    if status.endswith("_COMPLETE"):
        return State.OK
    raise BadInputError("detail.status-details.status", "must be a stack status of CloudFormation")
