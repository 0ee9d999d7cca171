"""Close an incident: give leases back, write the outcome, and say what people need to know."""

from __future__ import annotations

from datetime import datetime

from selfright.domain.gates import Reason
from selfright.domain.incident import CaseFile, Entry, EntryKind, IncidentStatus
from selfright.domain.report import message
from selfright.domain.steps import Message
from selfright.ports import Clock, History, IncidentStore, Leases
from selfright.usecases.stopping import stopped_by


def close_incident(
    incident_id: str,
    status: IncidentStatus,
    reason: str,
    error: str | None = None,
    *,
    store: IncidentStore,
    leases: Leases,
    history: History,
    clock: Clock,
) -> Message:
    """The message for people. An incident that is closed already stays as it was closed first.

    Raises NotFoundError where the incident does not exist.
    """
    case = store.case(incident_id)
    if error:
        failed = Entry(key="step-failed", at=clock.now(), kind=EntryKind.STEP_FAILED, text=error[:1000])
        store.take_up(incident_id, case.incident.runbook, [failed])
    now = clock.now()  # after the failure: a timeline tells them in this order
    # Also where no fence is on record: a crash may have come between taking the lease and noting it.
    for target in {a.plan.target for a in case.attempts if a.plan}:
        leases.release(target, incident_id)
    entry = Entry(
        key="closed",
        at=now,
        kind=EntryKind.INCIDENT_CLOSED,
        text=f"{status}: {reason}",
        detail={"status": status, "reason": reason},
    )
    incident = store.close(incident_id, status, reason, entry, now)
    told = message(CaseFile(incident=incident, attempts=case.attempts, timeline=case.timeline))
    return told.model_copy(update={"tell": error is not None or not _told_by_another(case, history, now)})


def _told_by_another(case: CaseFile, history: History, now: datetime) -> bool:
    """People hear of a storm once, from the incident that declared it; of a change of ours they always hear."""
    touched = any(attempt.intended_at for attempt in case.attempts)
    if touched or stopped_by(case) is not Reason.TOO_MANY_IN_TROUBLE:
        return False
    incident = case.incident
    history.declare_storm(incident.workload, incident.environment, incident.id, now)
    troubles = history.troubles(incident.workload, incident.environment)
    return troubles.declared_by != incident.id
