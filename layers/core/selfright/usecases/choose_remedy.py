"""Choose the next remedy of the runbook from what was found, or say why people are needed."""

from __future__ import annotations

from collections.abc import Mapping

from selfright.domain.incident import CaseFile, Entry, EntryKind, IncidentStatus
from selfright.domain.manifest import Workload
from selfright.domain.report import cut
from selfright.domain.runbook import Choice, Runbook, Stuck
from selfright.domain.runbook import choose_remedy as choose
from selfright.domain.steps import Next, StepResult
from selfright.ports import Clock, IncidentStore

LONGEST_OBSTACLE = 600  # characters of one reason; AWS names role, action and resource in fewer


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
            reason="; ".join([f"{choice.stuck}: {choice.say}", *_obstacles(case, attempt)]),
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


def _obstacles(case: CaseFile, attempt: int) -> list[str]:
    """What stood in the way, in AWS's words: checks of this attempt that failed, and changes that were refused.

    A permission that is missing is something that people can only mend where they are told of it.
    """
    details = {entry.key: entry.detail for entry in case.timeline}
    failed: Mapping[str, str] = details.get(f"attempt-{attempt}-checks", {}).get("failed", {})
    refused = [
        (f"{detail['remedy']} was refused", detail["refused"])
        for key, detail in details.items()
        if key.endswith("-refused")
    ]
    return [
        f"{what}: {cut(why, LONGEST_OBSTACLE)}"
        for what, why in [*((f"{c} failed", w) for c, w in failed.items()), *refused]
    ]
