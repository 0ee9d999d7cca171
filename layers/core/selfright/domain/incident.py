"""One continuous problem of one workload, and everything that was done about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from selfright.domain.alarms import State
from selfright.domain.concern import Concern
from selfright.domain.gates import Change, Fate, GateResult
from selfright.domain.judgement import Judgement
from selfright.domain.manifest import AlarmBinding, Environment, Severity, Symptom, Workload
from selfright.domain.signal import Signal, SignalKind, digest

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class IncidentStatus(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"  # we acted, and the metric proves that it helped
    RECOVERED = "recovered"  # the alarm went away before we acted
    HELD = "held"  # a guard stopped us; nothing was changed
    ESCALATED = "escalated"  # people are needed


class Incident(BaseModel):
    """`kind`, `name` and `subject` are those of the signal that opened it; `episode` is when that became so.

    A later alarm of the same problem is another episode.
    """

    model_config = FROZEN

    id: str
    fingerprint: str
    workload: str
    environment: Environment
    resource: str
    symptom: Symptom
    severity: Severity
    kind: SignalKind = SignalKind.ALARM
    name: str
    subject: str
    episode: AwareDatetime
    opened_at: AwareDatetime
    status: IncidentStatus = IncidentStatus.OPEN
    runbook: str | None = None
    signals: int = 1
    closed_at: AwareDatetime | None = None
    outcome: str | None = None

    @classmethod
    def open(
        cls, signal: Signal, workload: Workload, about: AlarmBinding | Concern, now: AwareDatetime
    ) -> Self:
        """A new incident for the problem that `signal` reports."""
        print_ = fingerprint(signal, workload, about)
        return cls(
            id=f"inc-{print_[:12]}-{signal.at:%Y%m%dT%H%M%S}{signal.at.microsecond // 1000:03d}",
            fingerprint=print_,
            workload=workload.workload,
            environment=workload.environment,
            resource=about.resource,
            symptom=about.symptom,
            severity=about.severity,
            kind=signal.kind,
            name=signal.name,
            subject=signal.subject,
            episode=signal.at,
            opened_at=now,
        )

    @property
    def alarm_name(self) -> str | None:
        """The alarm that tells whether it is over; None where something else reported it."""
        return self.name if self.kind is SignalKind.ALARM else None


def fingerprint(signal: Signal, workload: Workload, about: AlarmBinding | Concern) -> str:
    """What makes two signals one problem: the same symptom of the same resource in the same place.

    What is not an alarm is a problem of its own: no remedy can be proven on it, and an alarm that joined it would go
    to people without one.
    """
    place = (signal.account, signal.region, workload.workload, workload.environment)
    kind = () if signal.kind is SignalKind.ALARM else (signal.kind.value,)
    return digest(*place, about.resource, about.symptom, *kind)


class EntryKind(StrEnum):
    """What a timeline can tell; past tense."""

    SIGNAL_RECEIVED = "signal-received"
    RUNBOOK_CHOSEN = "runbook-chosen"
    GATES_ASKED = "gates-asked"
    CHECKS_RUN = "checks-run"
    REMEDY_CHOSEN = "remedy-chosen"
    ACTION_APPLIED = "action-applied"
    OUTCOME_JUDGED = "outcome-judged"
    ACTION_UNDONE = "action-undone"
    STEP_FAILED = "step-failed"
    INCIDENT_CLOSED = "incident-closed"
    PEOPLE_TOLD = "people-told"


class Entry(BaseModel):
    """One line of a timeline. `key` makes repeating a step write the same line, not a second one."""

    model_config = FROZEN

    key: str
    at: AwareDatetime
    kind: EntryKind
    text: str
    detail: dict[str, Any] = Field(default_factory=dict)


class AttemptStatus(StrEnum):
    CHOSEN = "chosen"
    INTENDED = "intended"  # before-values are on record, the change may or may not have been made
    APPLIED = "applied"
    VERIFIED = "verified"
    UNDONE = "undone"
    REFUSED = "refused"  # a gate or the action itself said no; nothing was changed


class Standing(StrEnum):
    """How far a planned change has come, read from the resource itself."""

    NOT_MADE = "not-made"
    PARTLY_MADE = "partly-made"  # an action that needs several calls was interrupted between two of them
    MADE = "made"
    DRIFTED = "drifted"  # a value is neither the one before nor the one after: somebody else was there


class Plan(BaseModel):
    """What an action would change: values before and after, by name. Both are needed to undo and to repeat."""

    model_config = FROZEN

    action: str
    resource: str
    target: str
    summary: str
    before: dict[str, str | int | float]
    after: dict[str, str | int | float]
    resources_touched: int = 1
    increase_factor: float = Field(default=1.0, ge=0)

    def standing(self, current: Mapping[str, str | int | float]) -> Standing:
        """What the resource's `current` values, by the names of this plan, say about the change."""
        if current == self.after:
            return Standing.MADE
        if current == self.before:
            return Standing.NOT_MADE
        ours = current.keys() == self.after.keys() and all(
            value in (self.before[name], self.after[name]) for name, value in current.items()
        )
        return Standing.PARTLY_MADE if ours else Standing.DRIFTED


class Attempt(BaseModel):
    """One remedy tried for an incident."""

    # A number that is none must not become null on its way through the ledger: a gate looks for it.
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", ser_json_inf_nan="constants")

    number: int = Field(ge=1)
    findings: dict[str, bool | None] = Field(default_factory=dict)
    facts: dict[str, Any] = Field(default_factory=dict)
    remedy: str | None = None
    plan: Plan | None = None
    gates: tuple[GateResult, ...] = ()
    fence: int | None = None
    status: AttemptStatus = AttemptStatus.CHOSEN
    episode: AwareDatetime | None = None
    """When the alarm went off for which the change was made."""
    intended_at: AwareDatetime | None = None
    applied_at: AwareDatetime | None = None
    judgement: Judgement | None = None

    def change(self, incident_id: str) -> Change | None:
        """What the target's history says of this attempt; None where no change was ever on its way."""
        if self.plan is None or self.intended_at is None:
            return None
        return Change(
            incident=incident_id,
            attempt=self.number,
            target=self.plan.target,
            remedy=str(self.remedy),
            at=self.intended_at,
            episode=self.episode or self.intended_at,
            fate=self._fate,
        )

    @property
    def _fate(self) -> Fate:
        match self.status:
            case AttemptStatus.VERIFIED:
                return Fate.HELPED
            case AttemptStatus.REFUSED | AttemptStatus.CHOSEN:
                return Fate.NOT_MADE
            case AttemptStatus.UNDONE:
                return Fate.FAILED
            case _:
                return Fate.FAILED if self.judgement else Fate.OPEN


class CaseFile(BaseModel):
    """An incident with its attempts (oldest first) and its timeline (oldest first)."""

    model_config = FROZEN

    incident: Incident
    attempts: tuple[Attempt, ...] = ()
    timeline: tuple[Entry, ...] = ()

    def attempt(self, number: int) -> Attempt:
        """Attempt `number`, empty where it has not begun."""
        return next((a for a in self.attempts if a.number == number), Attempt(number=number))

    @property
    def episode(self) -> datetime:
        """When the incident's own alarm went off last, as far as its signals have told.

        An alarm that flaps goes off again while its incident is open; that signal joins the incident.
        """
        own = [
            since
            for alarm, since, state in self._told
            if alarm == self.incident.alarm_name and state == State.ALARM
        ]
        return max([self.incident.episode, *own])

    @property
    def alarm_is_over(self) -> bool:
        """Whether the last that the incident's own alarm told was OK."""
        own = [(since, state) for alarm, since, state in self._told if alarm == self.incident.alarm_name]
        return bool(own) and max(own)[1] == State.OK

    @property
    def recovered(self) -> bool:
        """True where the last that each of its alarms told is that it is OK."""
        last = {alarm: state for alarm, _, state in sorted(self._told, key=lambda told: told[1])}
        return bool(last) and set(last.values()) == {State.OK}

    @property
    def changed(self) -> bool:
        """True where a change of ours was made, or may have been."""
        untouched = {AttemptStatus.CHOSEN, AttemptStatus.REFUSED}
        return any(attempt.status not in untouched for attempt in self.attempts)

    @property
    def reason(self) -> str:
        """What the signal that opened the incident gave as its reason."""
        told = (e.detail.get("reason", "") for e in self.timeline if e.kind is EntryKind.SIGNAL_RECEIVED)
        return str(next(told, ""))

    @property
    def _told(self) -> list[tuple[str, datetime, str]]:
        """Alarm, since when, and state, of every signal."""
        return [
            (e.detail["alarm"], datetime.fromisoformat(e.detail["since"]), e.detail["state"])
            for e in self.timeline
            if e.kind is EntryKind.SIGNAL_RECEIVED
        ]

    @property
    def tried(self) -> frozenset[str]:
        """Remedies that were tried or refused: none is tried twice for one incident."""
        over = {AttemptStatus.UNDONE, AttemptStatus.REFUSED, AttemptStatus.APPLIED, AttemptStatus.VERIFIED}
        return frozenset(a.remedy for a in self.attempts if a.remedy and a.status in over)
