"""Step Functions: how an execution of a Standard state machine went; Express ones tell nothing.

Shape: Step Functions developer guide, "EventBridge (CloudWatch Events) for Step Functions execution status changes".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from selfright.domain.alarms import State
from selfright.domain.manifest import Severity
from selfright.domain.signal import Signal, SignalKind
from selfright.edge.event_parts import Bridged, Filled, Part, read

_STATES = {
    "FAILED": State.ALARM,
    "TIMED_OUT": State.ALARM,
    "SUCCEEDED": State.OK,
    # Somebody stopped it on purpose, or it is under way.
    **dict.fromkeys(("ABORTED", "RUNNING", "PENDING_REDRIVE"), State.INSUFFICIENT_DATA),
}
MachineArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[^:]+$")]


class _Detail(Part):
    execution_arn: Filled
    state_machine_arn: MachineArn
    status: Literal["FAILED", "TIMED_OUT", "SUCCEEDED", "ABORTED", "RUNNING", "PENDING_REDRIVE"]
    redrive_count: int = 0
    error: str | None = None
    cause: str | None = None


class _ExecutionEvent(Bridged):
    detail_type: Literal["Step Functions Execution Status Change"] = Field(alias="detail-type")
    source: Literal["aws.states"]
    detail: _Detail


def execution_signal(event: Any) -> Signal:
    """A Signal from one event. Raises BadInputError naming the field and the rule."""
    told = read(_ExecutionEvent, event)
    detail = told.detail
    failure = ": ".join(text for text in (detail.error, detail.cause) if text)
    return Signal(
        kind=SignalKind.WORKFLOW,
        account=told.account,
        region=told.region,
        name=detail.state_machine_arn.rsplit(":", 1)[1],
        subject=detail.execution_arn,
        state=_STATES[detail.status],
        at=told.time,
        reason=f"an execution is {detail.status}" + (f": {failure}" if failure else ""),
        fact=f"{detail.status} {detail.redrive_count}",  # a redriven execution can fail again
        resources=(detail.state_machine_arn,),
        severity=Severity.MEDIUM,
    )
