"""Choose the next remedy of the runbook from what was found, or say why people are needed."""

from __future__ import annotations

from collections.abc import Mapping

from selfright.domain.incident import Entry, EntryKind, IncidentStatus
from selfright.domain.manifest import Workload
from selfright.domain.runbook import Choice, Runbook, Stuck
from selfright.domain.runbook import choose_remedy as choose
from selfright.domain.steps import Next, StepResult
from selfright.ports import Clock, IncidentStore


def choose_remedy(
    incident_id: str,
    attempt: int,
    *,
    workloads: Mapping[str, Workload],
    runbooks: Mapping[str, Runbook],
    store: IncidentStore,
    clock: Clock,
) -> StepResult:
    """Act with the chosen remedy, or close as escalated.

    Raises NotFoundError where the incident does not exist.
    """
    case = store.case(incident_id)
    this = case.attempt(attempt)
    allowed = workloads[case.incident.workload].limits.attempts
    if attempt > allowed:
        choice = Choice(stuck=Stuck.NONE_LEFT, say=f"{allowed} attempts are the limit")
    else:
        choice = choose(runbooks[str(case.incident.runbook)], this.findings, case.tried)
    if choice.remedy is None:
        entry = Entry(
            key=f"attempt-{attempt}-remedy",
            at=clock.now(),
            kind=EntryKind.REMEDY_CHOSEN,
            text=f"none: {choice.say}",
            detail={"remedy": None, "stuck": choice.stuck},
        )
        store.save_attempt(incident_id, this, [entry])
        return StepResult(
            next=Next.CLOSE,
            attempt=attempt,
            status=IncidentStatus.ESCALATED,
            reason=f"{choice.stuck}: {choice.say}",
        )
    entry = Entry(
        key=f"attempt-{attempt}-remedy",
        at=clock.now(),
        kind=EntryKind.REMEDY_CHOSEN,
        text=choice.remedy.title,
        detail={"remedy": choice.remedy.id, "when": choice.remedy.when, "action": choice.remedy.use},
    )
    store.save_attempt(incident_id, this.model_copy(update={"remedy": choice.remedy.id}), [entry])
    return StepResult(next=Next.ACT, attempt=attempt)
