"""AWS Backup: how a backup, restore or copy job went.

Shape: AWS Backup developer guide, "Monitoring AWS Backup events using Amazon EventBridge". Backup and copy jobs tell
their `state`, restore jobs their `status`; some restore jobs tell `state` too. Reading both is the only safe way.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, Field

from selfright.domain.alarms import State
from selfright.domain.errors import BadInputError
from selfright.domain.manifest import Severity
from selfright.domain.signal import Signal, SignalKind
from selfright.edge.event_parts import Bridged, Filled, Part, read

_STATES = {
    **dict.fromkeys(("FAILED", "EXPIRED", "PARTIAL"), State.ALARM),
    "COMPLETED": State.OK,
    # Somebody stopped it on purpose, or it is under way.
    **dict.fromkeys(("ABORTED", "ABORTING", "CREATED", "PENDING", "RUNNING"), State.INSUFFICIENT_DATA),
}
_JOBS = {
    "Backup Job State Change": "backup",
    "Restore Job State Change": "restore",
    "Copy Job State Change": "copy",
}


class _Detail(Part):
    job_id: Filled = Field(validation_alias=AliasChoices("backupJobId", "restoreJobId", "copyJobId"))
    outcome: Filled = Field(validation_alias=AliasChoices("status", "state"))
    message: str = Field(default="", validation_alias=AliasChoices("statusMessage", "message"))
    resource_arn: str = ""
    source_resource_arn: str = ""  # of a restore job
    created_resource_arn: str = ""


class _JobEvent(Bridged):
    detail_type: Literal["Backup Job State Change", "Restore Job State Change", "Copy Job State Change"] = (
        Field(alias="detail-type")
    )
    source: Literal["aws.backup"]
    resources: tuple[str, ...] = ()
    detail: _Detail


def backup_signal(event: Any) -> Signal:
    """A Signal from one event. Raises BadInputError naming the field and the rule."""
    told = read(_JobEvent, event)
    detail, job = told.detail, _JOBS[told.detail_type]
    if detail.outcome not in _STATES:
        raise BadInputError("detail.state", f"must be one of {', '.join(sorted(_STATES))}")
    arns = (detail.resource_arn, detail.source_resource_arn, detail.created_resource_arn, *told.resources)
    return Signal(
        kind=SignalKind.BACKUP,
        account=told.account,
        region=told.region,
        name=f"{job} job",
        subject=detail.job_id,
        state=_STATES[detail.outcome],
        at=told.time,
        reason=f"{job} job {detail.job_id} is {detail.outcome}"
        + (f": {detail.message}" if detail.message else ""),
        fact=f"{job} {detail.outcome}",
        resources=tuple(arn for arn in arns if arn),
        severity=Severity.HIGH if job == "backup" else Severity.MEDIUM,
    )
