"""Whom a signal without an alarm concerns: the manifest names stacks, budgets and resources, the signal says which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selfright.domain.manifest import ResourceType, Severity, Symptom, Workload
from selfright.domain.signal import Signal, SignalKind

# The service in an ARN, by which a table and a function of one name are told apart.
_SERVICES = {
    "dynamodb": ResourceType.DYNAMODB_TABLE,
    "lambda": ResourceType.LAMBDA_FUNCTION,
    "s3": ResourceType.S3_BUCKET,
    "states": ResourceType.STATE_MACHINE,
    "events": ResourceType.EVENT_BUS,
    "sqs": ResourceType.SQS_QUEUE,
    "sns": ResourceType.SNS_TOPIC,
}
_SYMPTOMS = {
    SignalKind.HEALTH: Symptom.AVAILABILITY,
    SignalKind.BUDGET: Symptom.COST,
    SignalKind.COST_ANOMALY: Symptom.COST,
    SignalKind.BACKUP: Symptom.BACKUP,
    SignalKind.STACK: Symptom.DEPLOYMENT,
    SignalKind.DRIFT: Symptom.DEPLOYMENT,
    SignalKind.DEPLOYMENT: Symptom.DEPLOYMENT,
    SignalKind.WORKFLOW: Symptom.ERRORS,
}
# SAM names the CodeDeploy application of a stack so, with random letters behind it.
_SAM_APPLICATION = "-ServerlessDeploymentApplication"


@dataclass(frozen=True, slots=True)
class Concern:
    """What a signal without an alarm means for a workload, as AlarmBinding says it for one with an alarm."""

    resource: str
    """Logical name, or what AWS calls it where it is none of the workload's resources (a stack, a budget)."""
    symptom: Symptom
    severity: Severity


def concern(signal: Signal, workloads: Sequence[Workload]) -> tuple[Workload, Concern] | None:
    """The first workload whose manifest names what the signal speaks about, and what it means there."""
    for workload in workloads:
        if resource := _resource(signal, workload):
            severity = signal.severity or Severity.MEDIUM
            return workload, Concern(resource, _SYMPTOMS[signal.kind], severity)
    return None


def _resource(signal: Signal, workload: Workload) -> str | None:
    sources = workload.sources
    match signal.kind:
        case SignalKind.STACK | SignalKind.DRIFT:
            return signal.name if signal.name in sources.stacks else None
        case SignalKind.BUDGET:
            return signal.name if signal.name in sources.budgets else None
        case SignalKind.COST_ANOMALY:
            return next((m for m in signal.resources if m in sources.cost_monitors), None)
        case SignalKind.DEPLOYMENT:
            made_by_sam = any(signal.name.startswith(s + _SAM_APPLICATION) for s in sources.stacks)
            return signal.name if made_by_sam or signal.name in sources.applications else None
        case _:
            found = (_logical_name(told, workload) for told in signal.resources)
            return next((name for name in found if name), None)


def _logical_name(told: str, workload: Workload) -> str | None:
    """The workload's own name for an ARN, or for a physical name."""
    service, name = _parts(told)
    for key, resource in workload.resources.items():
        if resource.name == name and (service is None or _SERVICES.get(service) is resource.type):
            return key
    return None


def _parts(told: str) -> tuple[str | None, str]:
    """Service and physical name in an ARN; no service where it is a name alone.

    arn:partition:service:region:account:name, ...:type/name/more or ...:type:name:more.
    """
    fields = told.split(":", 5)
    if fields[0] != "arn" or len(fields) != 6:  # noqa: PLR2004 - the fields of an ARN
        return None, told
    service, rest = fields[2], fields[5].replace("/", ":").split(":")
    typed = service in {"dynamodb", "lambda", "states", "events"}
    return service, rest[1] if typed and len(rest) > 1 else rest[0]
