"""Say to people what happened, what was done, what changed, and what is needed of them.

The words stand here once; domain/notice.py puts them into each channel's format.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from selfright.domain.incident import Attempt, AttemptStatus, CaseFile, Incident, IncidentStatus
from selfright.domain.signal import SignalKind

LONGEST_PART = 2000  # characters; an AWS error message can be long, and five such parts fit every channel

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


class Report(BaseModel):
    """An incident in words. Each part has at most LONGEST_PART characters."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    incident: Incident
    happened: str
    alarm: str
    done: str
    changed: str
    needed: str

    @property
    def headline(self) -> str:
        """One line. The outcome stands in front: a long line is cut at its end."""
        incident = self.incident
        place = f"{incident.workload} {incident.environment}"
        return f"[{incident.severity}] {incident.status}: {incident.symptom} of {incident.resource}, {place}"

    @property
    def parts(self) -> dict[str, str]:
        """Heading to text, in the order of reading."""
        return {
            "What happened": self.happened,
            "Alarm": self.alarm,
            "What was done": self.done,
            "What changed": self.changed,
            "What is needed of you": self.needed,
            "Incident": self.incident.id,
        }

    @property
    def text(self) -> str:
        """All of it as plain text, a line per part."""
        return "\n".join(f"{heading}: {part}" for heading, part in self.parts.items())


def report(case: CaseFile) -> Report:
    """What is to be told of an incident as it stands."""
    incident = case.incident
    place = f"{incident.workload} {incident.environment}"
    changed = [line for attempt in case.attempts for line in _changed(attempt)]
    parts = {
        "happened": f"{incident.symptom} of {incident.resource} ({place}).",
        "alarm": _reported(case),
        "done": _done(incident),
        "changed": "; ".join(changed) or "nothing.",
        "needed": _needed(incident),
    }
    return Report(incident=incident, **{name: cut(text, LONGEST_PART) for name, text in parts.items()})


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; what is cut ends in an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _reported(case: CaseFile) -> str:
    incident = case.incident
    at = f"{incident.episode:%Y-%m-%d %H:%M:%S} UTC"
    if incident.alarm_name is not None:
        return f"{incident.alarm_name} since {at}."
    reason = f": {case.reason}" if case.reason else ""
    return f"none; {_SENDERS[incident.kind]} reported {incident.name} ({incident.subject}) at {at}{reason}"


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
