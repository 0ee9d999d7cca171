"""Close an incident: give leases back and write the outcome."""

from __future__ import annotations

import json
from datetime import datetime

from selfright.domain.errors import SelfrightError
from selfright.domain.gates import Reason
from selfright.domain.incident import AttemptStatus, CaseFile, Entry, EntryKind, IncidentStatus
from selfright.domain.report import cut
from selfright.domain.steps import Closed
from selfright.ports import Clock, History, IncidentStore, Leases
from selfright.usecases.stopping import HELD_UNTIL_OVER, stopped_by

LONGEST_FAILURE = 600  # characters; AWS names role, action and resource of a denied call in fewer


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
) -> Closed:
    """How it stands closed. An incident that is closed already stays as it was closed first.

    Whose alarms are OK again before anything was changed is RECOVERED, whatever else stood in the way. Where a change
    has proven that it helped, a step that fails afterwards leaves it RESOLVED. Only who declared a storm is ESCALATED
    all the same: nobody else tells people that it rages.

    Raises NotFoundError where the incident does not exist.
    """
    case = store.case(incident_id)
    if case.recovered and not case.changed and not error:
        status = IncidentStatus.RECOVERED
    if error:
        proven = next((a.plan for a in case.attempts if a.status is AttemptStatus.VERIFIED), None)
        if proven:
            status, reason = IncidentStatus.RESOLVED, f"{proven.summary}; afterwards a step failed"
        error = _plain(error)
        failed = Entry(key="step-failed", at=clock.now(), kind=EntryKind.STEP_FAILED, text=error[:1000])
        store.take_up(incident_id, case.incident.runbook, [failed])
        reason = f"{reason}: {cut(error, LONGEST_FAILURE)}"
    now = clock.now()  # after the failure: a timeline tells them in this order
    # Also where no fence is on record: a crash may have come between taking the lease and noting it.
    for target in {a.plan.target for a in case.attempts if a.plan}:
        leases.release(target, incident_id)
    if still := _storm_to_tell(case, history):
        status, reason = IncidentStatus.ESCALATED, f"{reason}; {still}"
    entry = Entry(
        key="closed",
        at=now,
        kind=EntryKind.INCIDENT_CLOSED,
        text=f"{status}: {reason}",
        detail={"status": status, "reason": reason},
    )
    incident = store.close(incident_id, status, reason, entry, now)
    tell = error is not None or not _told_by_another(case, history, now)
    return Closed(status=incident.status, outcome=incident.outcome, tell=tell)


def _plain(error: str) -> str:
    """What failed, without Lambda's document around it: people read this at night."""
    told, brace, document = error.partition("{")
    try:
        return f"{told}{json.loads(brace + document)['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return error


def _storm_to_tell(case: CaseFile, history: History) -> str:
    """What people are to know of a storm that this incident declared, where something else stopped it."""
    incident = case.incident
    if case.changed or incident.alarm_name is None or stopped_by(case) is Reason.TOO_MANY_IN_TROUBLE:
        return ""
    try:
        troubles = history.troubles(incident.workload, incident.environment)
    except SelfrightError:
        return ""  # the gates stop for it, and people hear of that; it must not keep the incident open
    if troubles.declared_by != incident.id:
        return ""
    return f"storm: {len(set(troubles.problems.values()))} resources in trouble; {HELD_UNTIL_OVER}"


def _told_by_another(case: CaseFile, history: History, now: datetime) -> bool:
    """People hear of a storm once, from the incident that declared it; of a change of ours they always hear.

    And of what no alarm reported: it is not the storm that stopped it.
    """
    touched = any(attempt.intended_at for attempt in case.attempts)
    news = case.incident.alarm_name is None
    if touched or news or stopped_by(case) is not Reason.TOO_MANY_IN_TROUBLE:
        return False
    incident = case.incident
    history.declare_storm(incident.workload, incident.environment, incident.id, now)
    troubles = history.troubles(incident.workload, incident.environment)
    return troubles.declared_by != incident.id
