"""Decisions, incidents, attempts and timelines in DynamoDB.

A timeline line or decision is written once: its key says which step wrote it, so a repeated step changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from selfright.adapters import ledger_keys as keys
from selfright.adapters.aws import Aws, translated
from selfright.adapters.history import COUNTED
from selfright.adapters.ledger_items import IncidentItems, decided, incident_of, ok_since, signal_entry
from selfright.adapters.ledger_writes import CONFLICT_TRIES, FREE, Transactions, Write, time_text
from selfright.adapters.queries import queried
from selfright.domain.budget import Budget, Counted, spend
from selfright.domain.errors import ConflictError, NotFoundError, ThrottledError
from selfright.domain.incident import Attempt, CaseFile, Entry, EntryKind, Incident, IncidentStatus
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord, Signal

# A problem can be opened where none is open and the signal's alarm has not recovered after the signal's moment.
# Several alarms can report one problem (reads and writes of a table): each recovers for itself.
NOT_RECOVERED = "(attribute_not_exists(#ok) OR #ok < :at)"
OPENABLE = f"(attribute_not_exists(open_incident) OR open_incident = :none) AND {NOT_RECOVERED}"
JOIN_TRIES = 5


class DynamoDBIncidentStore:
    def __init__(self, aws: Aws, table: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._aws, self._table = aws, table
        self._writes = Transactions(aws, table, pause)
        self._items = IncidentItems(self._writes)

    def open_or_join(self, incident: Incident, signal: Signal, now: datetime) -> DecisionRecord:
        for _ in range(JOIN_TRIES):
            opened = decided(signal, Decision.OPENED, DecisionReason.NEW_PROBLEM, incident.id, now)
            lost = self._writes.transact(
                [
                    self._items.record(opened),
                    self._writes.update(
                        keys.problem(incident.fingerprint),
                        "SET open_incident = :incident, episode = :at, workload = :w, environment = :env",
                        OPENABLE,
                        {
                            ":incident": incident.id,
                            ":at": time_text(signal.at),
                            ":none": "",
                            ":w": incident.workload,
                            ":env": incident.environment,
                        },
                        names={"#ok": ok_since(signal)},
                    ),
                    self._items.incident(incident),
                    self._items.entry(incident.id, signal_entry(signal, now)),
                    *(
                        [self._items.trouble(incident)] if incident.alarm_name else []
                    ),  # else no alarm ends it
                    *self._items.alarm_change(signal, now),
                ]
            )
            if lost is None:
                return opened
            if known := self.decision(signal.id):
                return known
            if lost[1] is None:
                raise ConflictError(f"incident {incident.id} exists, but its problem is not open")
            state = self._problem(incident.fingerprint)
            if (current := state.get("open_incident", "")) == "":
                if state.get(ok_since(signal), "") < time_text(signal.at):
                    continue  # it was closed between our two looks
                return self._put_decision(
                    decided(signal, Decision.IGNORED, DecisionReason.OVERTAKEN, None, now),
                    *self._items.alarm_change(signal, now),
                )
            joined = decided(signal, Decision.JOINED, DecisionReason.PROBLEM_ALREADY_OPEN, current, now)
            if self._join(joined, signal, now):
                return self.decision(signal.id) or joined
        raise ConflictError(f"problem {incident.fingerprint} opens and closes faster than it can be joined")

    def hold(self, incident: Incident, signal: Signal, now: datetime) -> DecisionRecord:
        record = decided(signal, Decision.HELD, DecisionReason.STORM, incident.id, now)
        change = self._items.alarm_change(signal, now)
        trouble = keys.trouble(incident.workload, incident.environment, incident.fingerprint)
        for _ in range(JOIN_TRIES):
            # In a storm nearly every signal is of a trouble on record: look first, it is cheaper than being refused.
            if known := self._get(trouble):
                first = known["incident"]["S"]
                return self._put_decision(record.model_copy(update={"incident_id": first}), *change)
            if (lost := self._writes.transact(self._held(incident, signal, record, now) + change)) is None:
                return record
            if known_record := self.decision(signal.id):
                return known_record
            if lost[1] is None:  # no trouble any more: its alarm has recovered, or its incident is resolved
                record = decided(signal, Decision.IGNORED, DecisionReason.OVERTAKEN, None, now)
                return self._put_decision(record, *change)
        raise ConflictError(f"problem {incident.fingerprint} comes and goes faster than it can be held")

    def _held(self, incident: Incident, signal: Signal, record: DecisionRecord, now: datetime) -> list[Write]:
        """A new incident that is closed as it is opened: the trouble stands second."""
        held = incident.model_copy(
            update={"status": IncidentStatus.HELD, "closed_at": now, "outcome": "held by the storm"}
        )
        closed = Entry(
            key="closed", at=now, kind=EntryKind.INCIDENT_CLOSED, text="held: the workload is in a storm"
        )
        return [
            self._items.record(record),
            self._items.trouble(incident, FREE),
            self._writes.update(
                keys.problem(incident.fingerprint),
                "SET workload = :w, environment = :env",
                NOT_RECOVERED,
                {":w": incident.workload, ":env": incident.environment, ":at": time_text(signal.at)},
                names={"#ok": ok_since(signal)},
            ),
            self._items.incident(held),
            self._items.entry(incident.id, signal_entry(signal, now)),
            self._items.entry(incident.id, closed),
        ]

    def recover(self, fingerprint: str, signal: Signal, now: datetime) -> DecisionRecord:
        problem = self._problem(fingerprint)
        current = problem.get("open_incident", "") or None
        record = decided(signal, Decision.RECOVERED, DecisionReason.ALARM_BACK_TO_OK, current, now)
        writes = [
            self._items.record(record),
            self._writes.update(
                keys.problem(fingerprint),
                "SET #ok = :at",
                "attribute_not_exists(#ok) OR #ok < :at",
                {":at": time_text(signal.at)},
                names={"#ok": ok_since(signal)},
            ),
        ]
        change = self._items.alarm_change(signal, now)
        writes += change
        if current:
            writes.append(self._items.entry(current, signal_entry(signal, now)))
        elif "workload" in problem:
            writes.append(self._items.no_trouble(problem["workload"], problem["environment"], fingerprint))
        if self._writes.transact(writes) is None:
            return record
        return self.decision(signal.id) or self._put_decision(
            record.model_copy(update={"decision": Decision.IGNORED, "reason": DecisionReason.OVERTAKEN}),
            *change,
        )

    def decision(self, signal_id: str) -> DecisionRecord | None:
        item = self._get(keys.signal(signal_id))
        return DecisionRecord.model_validate_json(item["doc"]["S"]) if item else None

    def last_episode(self, fingerprint: str) -> datetime | None:
        episode = self._problem(fingerprint).get("episode")
        return datetime.fromisoformat(episode) if episode else None

    def ignore(self, signal: Signal, reason: DecisionReason, now: datetime) -> DecisionRecord:
        return self._put_decision(decided(signal, Decision.IGNORED, reason, None, now))

    def case(self, incident_id: str) -> CaseFile:
        with translated(f"reading incident {incident_id}"):
            found = queried(
                self._client,
                TableName=self._table,
                KeyConditionExpression="PK = :pk",
                ExpressionAttributeValues={":pk": keys.incident(incident_id)["PK"]},
                ConsistentRead=True,
            )
            items = list(found)
        incident: Incident | None = None
        attempts, entries = [], []
        for item in items:
            kind = item["SK"]["S"]
            if kind.startswith(keys.ATTEMPT):
                attempts.append(Attempt.model_validate_json(item["doc"]["S"]))
            elif kind.startswith(keys.ENTRY):
                entries.append(Entry.model_validate_json(item["doc"]["S"]))
            else:
                incident = incident_of(item)
        if incident is None:
            raise NotFoundError(f"incident {incident_id} does not exist")
        entries.sort(key=lambda e: e.at)
        return CaseFile(incident=incident, attempts=tuple(attempts), timeline=tuple(entries))

    def incidents(self, workload: str, environment: str, limit: int) -> Sequence[Incident]:
        with translated(f"listing the incidents of {workload}"):
            found = self._client.query(
                TableName=self._table,
                IndexName=keys.INDEX,
                KeyConditionExpression="GSI1PK = :pk",
                ExpressionAttributeValues={":pk": {"S": keys.workload(workload, environment)}},
                ScanIndexForward=False,
                Limit=limit,
            )
        return [incident_of(item) for item in found["Items"]]

    def open_incidents(self, workload: str, environment: str, since: datetime) -> Sequence[Incident]:
        with translated(f"listing the open incidents of {workload}"):
            found = queried(
                self._client,
                TableName=self._table,
                IndexName=keys.INDEX,
                KeyConditionExpression="GSI1PK = :pk AND GSI1SK >= :since",
                FilterExpression="#status = :open",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":pk": {"S": keys.workload(workload, environment)},
                    ":since": {"S": time_text(since)},
                    ":open": {"S": IncidentStatus.OPEN},
                },
            )
            return [incident_of(item) for item in found]

    def take_up(self, incident_id: str, runbook: str | None, entries: Sequence[Entry]) -> None:
        update = self._writes.update(
            keys.incident(incident_id),
            "SET runbook = :runbook",
            "attribute_exists(PK)",
            {":runbook": runbook or ""},
        )
        self._all(incident_id, [update, *(self._items.entry(incident_id, e) for e in entries)])

    def save_attempt(self, incident_id: str, attempt: Attempt, entries: Sequence[Entry] = ()) -> None:
        writes = self._items.attempt(incident_id, attempt)
        self._all(incident_id, [*writes, *(self._items.entry(incident_id, e) for e in entries)])

    def intend(self, incident_id: str, attempt: Attempt, target: str, budget: Budget, now: datetime) -> None:
        ours: Write = {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": keys.lease(target),
                "ConditionExpression": "#owner = :owner AND fence = :fence",
                "ExpressionAttributeNames": {"#owner": "owner"},
                "ExpressionAttributeValues": {
                    ":owner": {"S": incident_id},
                    ":fence": {"N": str(attempt.fence)},
                },
            }
        }
        acted = self._writes.update(
            keys.last_action(target),
            "SET #at = :at, incident = :id",
            None,
            {":at": time_text(now), ":id": incident_id},
            names={"#at": "at"},
        )
        attempted = self._items.attempt(incident_id, attempt)
        one = Counted(at=now, incident=incident_id, attempt=attempt.number)
        for _ in range(CONFLICT_TRIES):
            lost = self._writes.transact([ours, self._count(one, budget), acted, *attempted])
            if lost is None:
                return
            if lost[0]:
                raise ConflictError(f"lease of {target}: it is not ours any more")
        raise ThrottledError(f"counting a change of {budget.workload}: turned away {CONFLICT_TRIES} times")

    def note(self, incident_id: str, entries: Sequence[Entry]) -> None:
        self._all(incident_id, [self._items.entry(incident_id, e) for e in entries])

    def close(
        self, incident_id: str, status: IncidentStatus, reason: str, entry: Entry, now: datetime
    ) -> Incident:
        case = self.case(incident_id)
        incident = case.incident
        if incident.status is IncidentStatus.OPEN:
            well = status in {IncidentStatus.RESOLVED, IncidentStatus.RECOVERED} or case.alarm_is_over
            over = [self._items.no_trouble(incident.workload, incident.environment, incident.fingerprint)]
            lost = self._writes.transact(
                [
                    self._writes.update(
                        keys.incident(incident_id),
                        "SET #status = :status, outcome = :reason, closed_at = :at",
                        "#status = :open",
                        {
                            ":status": status,
                            ":reason": reason,
                            ":at": time_text(now),
                            ":open": IncidentStatus.OPEN,
                        },
                        names={"#status": "status"},
                    ),
                    self._writes.update(
                        keys.problem(incident.fingerprint),
                        "SET open_incident = :none",
                        "open_incident = :id",
                        {":none": "", ":id": incident_id},
                    ),
                    self._items.entry(incident_id, entry),
                    *(over if well else ()),
                ]
            )
            if lost and lost[0] is None:
                raise ConflictError(f"{incident_id} is open, but another incident holds its problem")
            incident = self.case(incident_id).incident
        return incident

    # -- one look at one item

    def _problem(self, fingerprint: str) -> dict[str, str]:
        item = self._get(keys.problem(fingerprint)) or {}
        return {name: value["S"] for name, value in item.items() if "S" in value}

    def _get(self, key: keys.Key) -> dict[str, Any] | None:
        with translated(f"reading {key['PK']['S']}"):
            found: dict[str, Any] = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return found.get("Item")

    # -- writes

    def _join(self, record: DecisionRecord, signal: Signal, now: datetime) -> bool:
        """True where it is on record now; False where the incident was closed before we could join."""
        incident_id = str(record.incident_id)
        lost = self._writes.transact(
            [
                self._items.record(record),
                self._writes.update(
                    keys.incident(incident_id),
                    "SET signals = signals + :one",
                    "#status = :open",
                    {":one": 1, ":open": IncidentStatus.OPEN},
                    names={"#status": "status"},
                ),
                self._items.entry(incident_id, signal_entry(signal, now)),
                *self._items.alarm_change(signal, now),
            ]
        )
        return lost is None or lost[0] is not None

    def _put_decision(self, record: DecisionRecord, *more: Write) -> DecisionRecord:
        if self._writes.transact([self._items.record(record), *more]) is None:
            return record
        return self.decision(record.signal.id) or record

    def _all(self, what: str, writes: Sequence[Write]) -> None:
        if lost := self._writes.transact(writes):
            raise ConflictError(f"{what}: {', '.join(sorted({code for code in lost if code}))}")

    def _count(self, one: Counted, budget: Budget) -> Write:
        """Count a change on the workload's budget, unless others count theirs in between."""
        key = keys.budget(budget.workload, budget.environment)
        item = self._get(key) or {"doc": {"S": "[]"}, "version": {"N": "0"}}
        seen = int(item["version"]["N"])
        doc = COUNTED.dump_json(spend(COUNTED.validate_json(item["doc"]["S"]), one, budget)).decode()
        write = self._writes.put(key, doc, "attribute_not_exists(PK) OR version = :seen", version=seen + 1)
        write["Put"]["ExpressionAttributeValues"] = {":seen": {"N": str(seen)}}
        return write

    @property
    def _client(self) -> Any:
        return self._aws.lean("dynamodb")
