"""What incidents, decisions and troubles look like as items of the ledger, and back."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from selfright.adapters import ledger_keys as keys
from selfright.adapters.ledger_writes import FREE, Transactions, Write, time_text
from selfright.domain.alarms import State
from selfright.domain.gates.history import KEPT_FOR
from selfright.domain.incident import Attempt, Entry, EntryKind, Incident
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord, Signal, SignalKind

KEEP_DECISIONS = timedelta(days=90)  # as long as Step Functions keeps an execution's name taken
KEEP_TROUBLES = timedelta(days=7)  # an alarm that was deleted while it was on never tells that it is over


class IncidentItems:
    """Each method is one write of a transaction."""

    def __init__(self, writes: Transactions) -> None:
        self._writes = writes

    def record(self, record: DecisionRecord) -> Write:
        expires = int((record.decided_at + KEEP_DECISIONS).timestamp())
        return self._writes.put(
            keys.signal(record.signal.id), record.model_dump_json(), FREE, expires=expires
        )

    def incident(self, incident: Incident) -> Write:
        ended = {
            "outcome": incident.outcome,
            "closed_at": incident.closed_at and time_text(incident.closed_at),
        }
        return self._writes.put(
            keys.incident(incident.id),
            incident.model_dump_json(),
            FREE,
            status=incident.status,
            signals=incident.signals,
            GSI1PK=keys.workload(incident.workload, incident.environment),
            GSI1SK=time_text(incident.opened_at),
            **{name: value for name, value in ended.items() if value},
        )

    def entry(self, incident_id: str, entry: Entry) -> Write:
        # A repeated step writes the same key again: the later text wins, no line stands twice.
        return self._writes.put(keys.entry(incident_id, entry.key), entry.model_dump_json(), None)

    def attempt(self, incident_id: str, attempt: Attempt) -> list[Write]:
        """The attempt, and what its target's history says of it."""
        writes = [
            self._writes.put(keys.attempt(incident_id, attempt.number), attempt.model_dump_json(), None)
        ]
        if change := attempt.change(incident_id):
            key = keys.change(change.target, incident_id, attempt.number)
            expires = int((change.at + KEPT_FOR).timestamp())
            writes.append(self._writes.put(key, change.model_dump_json(), None, expires=expires))
        return writes

    def trouble(self, incident: Incident, condition: str | None = None) -> Write:
        key = keys.trouble(incident.workload, incident.environment, incident.fingerprint)
        expires = int((incident.opened_at + KEEP_TROUBLES).timestamp())
        return self._writes.put(
            key, "", condition, resource=incident.resource, incident=incident.id, expires=expires
        )

    def no_trouble(self, workload: str, environment: str, fingerprint: str) -> Write:
        key = keys.trouble(workload, environment, fingerprint)
        return self._writes.delete(key)

    def alarm_change(self, signal: Signal, now: datetime) -> list[Write]:
        # A contributor is one of many time series: that it changes does not mean that the alarm does.
        of_an_alarm = signal.kind is SignalKind.ALARM and not signal.contributor
        if not of_an_alarm or signal.state is State.INSUFFICIENT_DATA:
            return []
        key = keys.alarm_change(signal.subject, time_text(signal.at), signal.state)
        return [
            self._writes.put(
                key, "", None, at=time_text(signal.at), expires=int((now + KEPT_FOR).timestamp())
            )
        ]


def decided(
    signal: Signal, decision: Decision, reason: DecisionReason, incident_id: str | None, now: datetime
) -> DecisionRecord:
    return DecisionRecord(
        signal=signal, decision=decision, reason=reason, incident_id=incident_id, decided_at=now
    )


def signal_entry(signal: Signal, now: datetime) -> Entry:
    return Entry(
        key=f"signal-{signal.id}",
        at=now,
        kind=EntryKind.SIGNAL_RECEIVED,
        text=signal.headline,
        detail={
            "alarm": signal.name,
            "state": signal.state,
            "since": time_text(signal.at),
            "reason": signal.reason,
        },
    )


def incident_of(item: dict[str, Any]) -> Incident:
    changing = {
        "status": item["status"]["S"],
        "signals": int(item["signals"]["N"]),
        "runbook": item.get("runbook", {}).get("S") or None,
        "outcome": item.get("outcome", {}).get("S"),
        "closed_at": item.get("closed_at", {}).get("S"),
    }
    return Incident.model_validate({**json.loads(item["doc"]["S"]), **changing})


def ok_since(signal: Signal) -> str:
    """Attribute of a problem: since when one of its alarms is OK."""
    return f"ok_since {signal.name}"
