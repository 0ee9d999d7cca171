"""Incidents and leases in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

from selfright.domain.budget import Budget, Counted, spend
from selfright.domain.errors import ConflictError, NotFoundError
from selfright.domain.gates import Change, Troubles
from selfright.domain.incident import Attempt, CaseFile, Entry, EntryKind, Incident, IncidentStatus
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord, Signal, SignalKind


def _place(of: Budget | Incident) -> tuple[str, str]:
    return of.workload, of.environment


class MemoryLeases:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[str, datetime]] = {}
        self._fences: dict[str, int] = {}
        self._acted: dict[str, tuple[datetime, str]] = {}

    def holder(self, target: str, now: datetime) -> str | None:
        owner, until = self._held.get(target, ("", now))
        return owner if owner and until > now else None

    def acquire(self, target: str, owner: str, until: datetime, now: datetime) -> int:
        with self._lock:
            if self.holder(target, now) not in {None, owner}:
                raise ConflictError(f"{target} is held by {self._held[target][0]}")
            self._held[target] = (owner, until)
            self._fences[target] = self._fences.get(target, 0) + 1
            return self._fences[target]

    def release(self, target: str, owner: str) -> None:
        with self._lock:
            if self._held.get(target, ("",))[0] == owner:
                del self._held[target]

    def lapsed(self, target: str, now: datetime) -> str | None:
        owner, until = self._held.get(target, ("", now))
        return owner if owner and until <= now else None

    def last_action_at(self, target: str, other_than: str) -> datetime | None:
        at, incident = self._acted.get(target, (None, other_than))
        return None if incident == other_than else at

    # -- for MemoryStore.intend, which DynamoDB does in one transaction

    def note_action(self, target: str, owner: str, fence: int | None, now: datetime) -> None:
        with self._lock:
            if self._held.get(target, ("",))[0] != owner or self._fences[target] != fence:
                raise ConflictError(f"lease of {target} is not {owner}'s any more")
            self._acted[target] = (now, owner)


class MemoryStore:
    def __init__(self, leases: MemoryLeases) -> None:
        self._leases = leases
        self._lock = threading.RLock()
        self._decisions: dict[str, DecisionRecord] = {}
        self._open: dict[str, str] = {}  # fingerprint -> incident
        self._episodes: dict[str, datetime] = {}  # fingerprint -> moment of the last opening signal
        self._ok_since: dict[tuple[str, str], datetime] = {}  # fingerprint, alarm
        self._incidents: dict[str, Incident] = {}
        self._attempts: dict[str, dict[int, Attempt]] = {}
        self._entries: dict[str, dict[str, Entry]] = {}
        self._changes: dict[str, dict[tuple[str, int], Change]] = {}  # by target
        self._alarm_changes: dict[str, set[datetime]] = {}
        self._counted: dict[tuple[str, str], tuple[Counted, ...]] = {}
        self._troubles: dict[
            tuple[str, str], dict[str, tuple[str, str]]
        ] = {}  # fingerprint -> resource, incident
        self._storms: dict[tuple[str, str], str] = {}
        self._places: dict[str, tuple[str, str]] = {}  # fingerprint -> workload, environment

    def open_or_join(self, incident: Incident, signal: Signal, now: datetime) -> DecisionRecord:
        with self._lock:
            if known := self._decisions.get(signal.id):
                return known
            self._alarm_change(signal)
            if current := self._open.get(incident.fingerprint):
                told = self._incidents[current]
                self._incidents[current] = told.model_copy(update={"signals": told.signals + 1})
                return self._decide(
                    signal, Decision.JOINED, DecisionReason.PROBLEM_ALREADY_OPEN, current, now
                )
            ok_since = self._ok_since.get((incident.fingerprint, signal.name))
            if ok_since and ok_since >= signal.at:
                return self._decide(signal, Decision.IGNORED, DecisionReason.OVERTAKEN, None, now)
            if incident.id in self._incidents:
                raise ConflictError(f"incident {incident.id} exists, but its problem is not open")
            self._open[incident.fingerprint] = incident.id
            self._episodes[incident.fingerprint] = signal.at
            self._incidents[incident.id] = incident
            if incident.alarm_name:
                self._trouble(incident)
            return self._decide(signal, Decision.OPENED, DecisionReason.NEW_PROBLEM, incident.id, now)

    def hold(self, incident: Incident, signal: Signal, now: datetime) -> DecisionRecord:
        with self._lock:
            if known := self._decisions.get(signal.id):
                return known
            self._alarm_change(signal)
            troubles = self._troubles.setdefault((incident.workload, incident.environment), {})
            if incident.fingerprint in troubles:
                first = troubles[incident.fingerprint][1]
                return self._record(signal, Decision.HELD, DecisionReason.STORM, first, now)
            ok_since = self._ok_since.get((incident.fingerprint, signal.name))
            if (ok_since and ok_since >= signal.at) or incident.id in self._incidents:
                return self._record(signal, Decision.IGNORED, DecisionReason.OVERTAKEN, None, now)
            held = {"status": IncidentStatus.HELD, "closed_at": now, "outcome": "held by the storm"}
            self._incidents[incident.id] = incident.model_copy(update=held)
            self._trouble(incident)
            closed = Entry(key="closed", at=now, kind=EntryKind.INCIDENT_CLOSED, text="held: a storm")
            record = self._decide(signal, Decision.HELD, DecisionReason.STORM, incident.id, now)
            self._write(incident.id, [closed])
            return record

    def recover(self, fingerprint: str, signal: Signal, now: datetime) -> DecisionRecord:
        with self._lock:
            if known := self._decisions.get(signal.id):
                return known
            self._alarm_change(signal)
            current, key = self._open.get(fingerprint), (fingerprint, signal.name)
            if key in self._ok_since and self._ok_since[key] >= signal.at:
                return self._record(signal, Decision.IGNORED, DecisionReason.OVERTAKEN, current, now)
            self._ok_since[key] = signal.at
            if not current and fingerprint in self._places:
                self._troubles[self._places[fingerprint]].pop(fingerprint, None)
            return self._decide(signal, Decision.RECOVERED, DecisionReason.ALARM_BACK_TO_OK, current, now)

    def decision(self, signal_id: str) -> DecisionRecord | None:
        return self._decisions.get(signal_id)

    def last_episode(self, fingerprint: str) -> datetime | None:
        return self._episodes.get(fingerprint)

    def ignore(self, signal: Signal, reason: DecisionReason, now: datetime) -> DecisionRecord:
        with self._lock:
            return self._decisions.get(signal.id) or self._record(signal, Decision.IGNORED, reason, None, now)

    def case(self, incident_id: str) -> CaseFile:
        with self._lock:
            if incident_id not in self._incidents:
                raise NotFoundError(f"incident {incident_id} does not exist")
            attempts = self._attempts.get(incident_id, {})
            return CaseFile(
                incident=self._incidents[incident_id],
                attempts=tuple(attempts[n] for n in sorted(attempts)),
                timeline=tuple(sorted(self._entries.get(incident_id, {}).values(), key=lambda e: e.at)),
            )

    def incidents(self, workload: str, environment: str, limit: int) -> Sequence[Incident]:
        ours = [i for i in self._incidents.values() if (i.workload, i.environment) == (workload, environment)]
        return sorted(ours, key=lambda i: i.opened_at, reverse=True)[:limit]

    def open_incidents(self, workload: str, environment: str, since: datetime) -> Sequence[Incident]:
        ours = self.incidents(workload, environment, len(self._incidents))
        return [i for i in reversed(ours) if i.status is IncidentStatus.OPEN and i.opened_at >= since]

    def take_up(self, incident_id: str, runbook: str | None, entries: Sequence[Entry]) -> None:
        with self._lock:
            if incident_id not in self._incidents:
                raise ConflictError(f"incident {incident_id} does not exist")
            taken = self._incidents[incident_id].model_copy(update={"runbook": runbook})
            self._incidents[incident_id] = taken
            self._write(incident_id, entries)

    def save_attempt(self, incident_id: str, attempt: Attempt, entries: Sequence[Entry] = ()) -> None:
        with self._lock:
            self._attempts.setdefault(incident_id, {})[attempt.number] = attempt
            if change := attempt.change(incident_id):
                self._changes.setdefault(change.target, {})[incident_id, attempt.number] = change
            self._write(incident_id, entries)

    def intend(self, incident_id: str, attempt: Attempt, target: str, budget: Budget, now: datetime) -> None:
        one, place = Counted(at=now, incident=incident_id, attempt=attempt.number), _place(budget)
        with self._lock:
            counted = spend(self._counted.get(place, ()), one, budget)
            self._leases.note_action(target, incident_id, attempt.fence, now)
            self._counted[place] = counted
            self.save_attempt(incident_id, attempt)

    def note(self, incident_id: str, entries: Sequence[Entry]) -> None:
        with self._lock:
            self._write(incident_id, entries)

    def close(
        self, incident_id: str, status: IncidentStatus, reason: str, entry: Entry, now: datetime
    ) -> Incident:
        with self._lock:
            case = self.case(incident_id)
            incident = case.incident
            if incident.status is IncidentStatus.OPEN:
                incident = incident.model_copy(update={"status": status, "outcome": reason, "closed_at": now})
                self._incidents[incident_id] = incident
                del self._open[incident.fingerprint]
                self._write(incident_id, [entry])
                if status in {IncidentStatus.RESOLVED, IncidentStatus.RECOVERED} or case.alarm_is_over:
                    self._troubles.get(_place(incident), {}).pop(incident.fingerprint, None)
            return incident

    # -- the port History

    def changes(self, target: str) -> Sequence[Change]:
        return list(self._changes.get(target, {}).values())

    def alarm_changes(self, alarm_arn: str, since: datetime) -> Sequence[datetime]:
        return sorted(at for at in self._alarm_changes.get(alarm_arn, ()) if at >= since)

    def counted(self, workload: str, environment: str) -> Sequence[Counted]:
        return self._counted.get((workload, environment), ())

    def troubles(self, workload: str, environment: str) -> Troubles:
        with self._lock:
            known = self._troubles.get((workload, environment), {})
            problems = {fingerprint: resource for fingerprint, (resource, _) in known.items()}
            return Troubles(problems=problems, declared_by=self._storms.get((workload, environment)))

    def declare_storm(self, workload: str, environment: str, incident_id: str, now: datetime) -> None:
        del now
        with self._lock:
            self._storms.setdefault((workload, environment), incident_id)

    def end_storm(self, workload: str, environment: str) -> None:
        self._storms.pop((workload, environment), None)

    # -- writing

    def _alarm_change(self, signal: Signal) -> None:
        if signal.kind is SignalKind.ALARM and not signal.contributor:
            self._alarm_changes.setdefault(signal.subject, set()).add(signal.at)

    def _trouble(self, incident: Incident) -> None:
        place = self._places[incident.fingerprint] = _place(incident)
        self._troubles.setdefault(place, {})[incident.fingerprint] = (incident.resource, incident.id)

    def _decide(
        self,
        signal: Signal,
        decision: Decision,
        reason: DecisionReason,
        incident_id: str | None,
        now: datetime,
    ) -> DecisionRecord:
        """A record, and where it concerns an incident a line on its timeline."""
        if incident_id:
            detail = {
                "alarm": signal.name,
                "state": signal.state,
                "since": signal.at.isoformat(),
                "reason": signal.reason,
            }
            self._write(
                incident_id,
                [
                    Entry(
                        key=f"signal-{signal.id}",
                        at=now,
                        kind=EntryKind.SIGNAL_RECEIVED,
                        text=signal.headline,
                        detail=detail,
                    )
                ],
            )
        return self._record(signal, decision, reason, incident_id, now)

    def _record(
        self,
        signal: Signal,
        decision: Decision,
        reason: DecisionReason,
        incident_id: str | None,
        now: datetime,
    ) -> DecisionRecord:
        record = DecisionRecord(
            signal=signal, decision=decision, reason=reason, incident_id=incident_id, decided_at=now
        )
        self._decisions[signal.id] = record
        return record

    def _write(self, incident_id: str, entries: Sequence[Entry]) -> None:
        self._entries.setdefault(incident_id, {}).update({entry.key: entry for entry in entries})
