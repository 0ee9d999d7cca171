"""What a gate's stop means for an incident, and how the verdicts read on the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from selfright.domain.errors import SourceDownError
from selfright.domain.gates import GateResult, Reason, Verdict, overall
from selfright.domain.incident import CaseFile, Entry, EntryKind, IncidentStatus
from selfright.domain.steps import Next, StepResult

_STATUS = {
    Reason.ALARM_OVER: IncidentStatus.RECOVERED,
    Reason.OTHER_EPISODE: IncidentStatus.HELD,  # the later episode has an incident of its own
    Reason.OBSERVE_ONLY: IncidentStatus.ESCALATED,
    Reason.SUGGEST_ONLY: IncidentStatus.ESCALATED,
    Reason.NEEDS_APPROVAL: IncidentStatus.ESCALATED,
    Reason.TOO_MANY_IN_TROUBLE: IncidentStatus.ESCALATED,
    Reason.RESOURCE_PROTECTED: IncidentStatus.ESCALATED,
    Reason.IMPOSSIBLE_NUMBER: IncidentStatus.ESCALATED,
    Reason.NO_VERDICT_POSSIBLE: IncidentStatus.ESCALATED,
    Reason.ALARM_FLAPS: IncidentStatus.ESCALATED,
    Reason.CAUSED_BY_US: IncidentStatus.ESCALATED,
    Reason.TARGET_SPENT: IncidentStatus.ESCALATED,
    Reason.TOO_MANY_ATTEMPTS: IncidentStatus.ESCALATED,
    Reason.INEFFECTIVE_CHAIN: IncidentStatus.ESCALATED,
    Reason.FAILED_TOO_OFTEN: IncidentStatus.ESCALATED,
    Reason.HOUR_SPENT: IncidentStatus.ESCALATED,
    Reason.DAY_SPENT: IncidentStatus.ESCALATED,
    Reason.TOO_LARGE_A_STEP: IncidentStatus.ESCALATED,
    Reason.TOO_MANY_RESOURCES: IncidentStatus.ESCALATED,
}

HELD_UNTIL_OVER = "until that is over every incident of the workload is held, without a message each"
_ALSO = {Reason.TOO_MANY_IN_TROUBLE: f"; {HELD_UNTIL_OVER}"}


def must_be_answered(gates: Sequence[GateResult]) -> None:
    """Fail the step where what stops it is that something could not be asked, so that it is repeated.

    A source that is down for some seconds is no reason to wake people. One that stays down leads to them, as every
    step that fails for good. Raises SourceDownError.
    """
    gate = overall(gates)
    if gate is not None and gate.reason is Reason.SOURCE_DOWN:
        raise SourceDownError(f"gate {gate.gate}: {gate.value or 'no value'}")


def stopped(gates: Sequence[GateResult], attempt: int) -> StepResult | None:
    """How the incident ends where a gate did not say go; None where all did."""
    gate = overall(gates)
    if gate is None:
        return None
    return StepResult(
        next=Next.CLOSE,
        attempt=attempt,
        status=_STATUS.get(gate.reason, IncidentStatus.HELD),
        reason=f"gate {gate.gate}: {gate.reason} ({gate.value or 'no value'}){_ALSO.get(gate.reason, '')}",
    )


def stopped_by(case: CaseFile) -> Reason | None:
    """Why the gates stopped the incident when they were asked last; None where they let it pass."""
    asked = [entry for entry in case.timeline if entry.kind is EntryKind.GATES_ASKED]
    if not asked:
        return None
    decided = overall([GateResult.model_validate(gate) for gate in asked[-1].detail["gates"]])
    return decided.reason if decided else None


def gates_entry(key: str, gates: Sequence[GateResult], at: datetime) -> Entry:
    """The timeline line of one asking of the gates."""
    decided = overall(gates)
    text = f"{decided.gate}: {decided.verdict}, {decided.reason}" if decided else "all go"
    return Entry(
        key=key,
        at=at,
        kind=EntryKind.GATES_ASKED,
        text=text,
        detail={
            "verdict": decided.verdict if decided else Verdict.GO,
            "gates": [g.model_dump() for g in gates],
        },
    )
