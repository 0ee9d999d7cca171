"""Say to people what happened, what was done, what changed, and what is needed of them."""

from __future__ import annotations

from selfright.domain.incident import Attempt, AttemptStatus, CaseFile, Incident, IncidentStatus
from selfright.domain.signal import SignalKind
from selfright.domain.steps import Message

SUBJECT_LIMIT = 99  # characters; SNS wants fewer than 100

_NEEDED = {
    IncidentStatus.RESOLVED: "Nothing. Selfright keeps watching the alarm.",
    IncidentStatus.RECOVERED: "Nothing. The alarm is over, and no change of ours stands.",
    IncidentStatus.HELD: "The alarm may still be on, and no change of ours stands. Decide whether to act.",
    IncidentStatus.ESCALATED: "Take over: the alarm is not remedied.",
    IncidentStatus.OPEN: "Nothing yet.",
}

_SENDERS = {
    SignalKind.HEALTH: "AWS Health",
    SignalKind.BUDGET: "AWS Budgets",
    SignalKind.COST_ANOMALY: "Cost Anomaly Detection",
    SignalKind.BACKUP: "AWS Backup",
    SignalKind.STACK: "CloudFormation",
    SignalKind.DRIFT: "CloudFormation's drift detection",
    SignalKind.DEPLOYMENT: "CodeDeploy",
    SignalKind.WORKFLOW: "Step Functions",
}


def message(case: CaseFile) -> Message:
    """The message for an incident as it stands."""
    incident = case.incident
    place = f"{incident.workload} {incident.environment}"
    # The outcome stands in front: a long subject is cut at its end.
    subject = f"[{incident.severity}] {incident.status}: {incident.symptom} of {incident.resource}, {place}"
    changed = [line for attempt in case.attempts for line in _changed(attempt)]
    text = "\n".join(
        [
            f"What happened: {incident.symptom} of {incident.resource} ({place}).",
            _reported(case),
            f"What was done: {_done(incident)}",
            "What changed: " + ("; ".join(changed) if changed else "nothing."),
            f"What is needed of you: {_needed(incident)}",
            f"Incident: {incident.id}",
        ]
    )
    return Message(subject=subject[:SUBJECT_LIMIT], text=text)


def _reported(case: CaseFile) -> str:
    incident = case.incident
    at = f"{incident.episode:%Y-%m-%d %H:%M:%S} UTC"
    if incident.alarm_name is not None:
        return f"Alarm: {incident.alarm_name} since {at}."
    reason = f": {case.reason}" if case.reason else ""
    return f"Reported by {_SENDERS[incident.kind]} at {at}, {incident.name} ({incident.subject}){reason}"


def _needed(incident: Incident) -> str:
    if incident.alarm_name is None and incident.status is IncidentStatus.ESCALATED:
        return "Look into it: Selfright has no remedy for this, and no alarm that would prove one."
    return _NEEDED[incident.status]


def _done(incident: Incident) -> str:
    runbook = f"runbook {incident.runbook}" if incident.runbook else "no runbook"
    return f"{runbook}; {incident.outcome or 'in progress'}."


def _changed(attempt: Attempt) -> list[str]:
    if attempt.plan is None:
        return []
    match attempt.status:
        case AttemptStatus.APPLIED | AttemptStatus.VERIFIED:
            return [attempt.plan.summary]
        case AttemptStatus.UNDONE:
            return [f"{attempt.plan.summary} (undone)"]
        case AttemptStatus.INTENDED:
            return [f"{attempt.plan.summary} (interrupted: check the resource)"]
        case AttemptStatus.REFUSED:
            return [f"{attempt.plan.summary} (proposed, not carried out)"]
        case AttemptStatus.CHOSEN:
            return []
