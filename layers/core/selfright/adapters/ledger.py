"""Decisions, incidents, attempts and timelines in DynamoDB.

An item carries its model as JSON in `doc`; beside it stand only the attributes that conditions and indexes need.
A timeline line or decision is written once: its key says which step wrote it, so a repeated step changes nothing.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from selfright.adapters import ledger_keys as keys
from selfright.adapters.aws import Aws, translated
from selfright.adapters.history import COUNTED
from selfright.adapters.queries import queried
from selfright.domain.alarms import State
from selfright.domain.budget import Budget, Counted, spend
from selfright.domain.errors import ConflictError, NotFoundError, ThrottledError
from selfright.domain.gates.history import KEPT_FOR
from selfright.domain.incident import Attempt, CaseFile, Entry, EntryKind, Incident, IncidentStatus
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord, Signal, SignalKind

KEEP_DECISIONS = timedelta(days=90)  # as long as Step Functions keeps an execution's name taken
KEEP_TROUBLES = timedelta(days=7)  # an alarm that was deleted while it was on never tells that it is over
FREE = "attribute_not_exists(PK)"
# A problem can be opened where none is open and the signal's alarm has not recovered after the signal's moment.
# Several alarms can report one problem (reads and writes of a table): each recovers for itself.
NOT_RECOVERED = "(attribute_not_exists(#ok) OR #ok < :at)"
OPENABLE = f"(attribute_not_exists(open_incident) OR open_incident = :none) AND {NOT_RECOVERED}"
JOIN_TRIES = 5
# Signals of one problem write its item at the same time; DynamoDB then turns all but one away, and the SDK does not
# repeat a cancelled transaction. In a burst up to ten functions meet at one incident (MaximumConcurrency): they step
# aside for a random part of 20 ms, 40 ms, ... 640 ms. Who is turned away for good comes back after six minutes.
CONFLICT_TRIES = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.64
AGAIN = {"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"}

Write = dict[str, Any]


class DynamoDBIncidentStore:
    def __init__(self, aws: Aws, table: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._aws, self._table, self._pause = aws, table, pause

    def open_or_join(self, incident: Incident, signal: Signal, now: datetime) -> DecisionRecord:
        for _ in range(JOIN_TRIES):
            opened = _record(signal, Decision.OPENED, DecisionReason.NEW_PROBLEM, incident.id, now)
            lost = self._transact(
                [
                    self._put_record(opened),
                    self._update(
                        keys.problem(incident.fingerprint),
                        "SET open_incident = :incident, episode = :at, workload = :w, environment = :env",
                        OPENABLE,
                        {
                            ":incident": incident.id,
                            ":at": _time(signal.at),
                            ":none": "",
                            ":w": incident.workload,
                            ":env": incident.environment,
                        },
                        names={"#ok": _ok_since(signal)},
                    ),
                    self._put_incident(incident),
                    self._put_entry(incident.id, _signal_entry(signal, now)),
                    *([self._put_trouble(incident)] if incident.alarm_name else []),  # else no alarm ends it
                    *self._put_alarm_change(signal, now),
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
                if state.get(_ok_since(signal), "") < _time(signal.at):
                    continue  # it was closed between our two looks
                return self._put_decision(
                    _record(signal, Decision.IGNORED, DecisionReason.OVERTAKEN, None, now),
                    *self._put_alarm_change(signal, now),
                )
            joined = _record(signal, Decision.JOINED, DecisionReason.PROBLEM_ALREADY_OPEN, current, now)
            if self._join(joined, signal, now):
                return self.decision(signal.id) or joined
        raise ConflictError(f"problem {incident.fingerprint} opens and closes faster than it can be joined")

    def hold(self, incident: Incident, signal: Signal, now: datetime) -> DecisionRecord:
        record = _record(signal, Decision.HELD, DecisionReason.STORM, incident.id, now)
        change = self._put_alarm_change(signal, now)
        trouble = keys.trouble(incident.workload, incident.environment, incident.fingerprint)
        for _ in range(JOIN_TRIES):
            # In a storm nearly every signal is of a trouble on record: look first, it is cheaper than being refused.
            if known := self._get(trouble):
                first = known["incident"]["S"]
                return self._put_decision(record.model_copy(update={"incident_id": first}), *change)
            if (lost := self._transact(self._held(incident, signal, record, now) + change)) is None:
                return record
            if known_record := self.decision(signal.id):
                return known_record
            if lost[1] is None:  # no trouble any more: its alarm has recovered, or its incident is resolved
                record = _record(signal, Decision.IGNORED, DecisionReason.OVERTAKEN, None, now)
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
            self._put_record(record),
            self._put_trouble(incident, FREE),
            self._update(
                keys.problem(incident.fingerprint),
                "SET workload = :w, environment = :env",
                NOT_RECOVERED,
                {":w": incident.workload, ":env": incident.environment, ":at": _time(signal.at)},
                names={"#ok": _ok_since(signal)},
            ),
            self._put_incident(held),
            self._put_entry(incident.id, _signal_entry(signal, now)),
            self._put_entry(incident.id, closed),
        ]

    def recover(self, fingerprint: str, signal: Signal, now: datetime) -> DecisionRecord:
        problem = self._problem(fingerprint)
        current = problem.get("open_incident", "") or None
        record = _record(signal, Decision.RECOVERED, DecisionReason.ALARM_BACK_TO_OK, current, now)
        writes = [
            self._put_record(record),
            self._update(
                keys.problem(fingerprint),
                "SET #ok = :at",
                "attribute_not_exists(#ok) OR #ok < :at",
                {":at": _time(signal.at)},
                names={"#ok": _ok_since(signal)},
            ),
        ]
        change = self._put_alarm_change(signal, now)
        writes += change
        if current:
            writes.append(self._put_entry(current, _signal_entry(signal, now)))
        elif "workload" in problem:
            writes.append(self._delete_trouble(problem["workload"], problem["environment"], fingerprint))
        if self._transact(writes) is None:
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
        return self._put_decision(_record(signal, Decision.IGNORED, reason, None, now))

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
                incident = _incident(item)
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
        return [_incident(item) for item in found["Items"]]

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
                    ":since": {"S": _time(since)},
                    ":open": {"S": IncidentStatus.OPEN},
                },
            )
            return [_incident(item) for item in found]

    def take_up(self, incident_id: str, runbook: str | None, entries: Sequence[Entry]) -> None:
        update = self._update(
            keys.incident(incident_id),
            "SET runbook = :runbook",
            "attribute_exists(PK)",
            {":runbook": runbook or ""},
        )
        self._all(incident_id, [update, *(self._put_entry(incident_id, e) for e in entries)])

    def save_attempt(self, incident_id: str, attempt: Attempt, entries: Sequence[Entry] = ()) -> None:
        writes = self._put_attempt(incident_id, attempt)
        self._all(incident_id, [*writes, *(self._put_entry(incident_id, e) for e in entries)])

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
        acted = self._update(
            keys.last_action(target),
            "SET #at = :at, incident = :id",
            None,
            {":at": _time(now), ":id": incident_id},
            names={"#at": "at"},
        )
        attempted = self._put_attempt(incident_id, attempt)
        one = Counted(at=now, incident=incident_id, attempt=attempt.number)
        for _ in range(CONFLICT_TRIES):
            lost = self._transact([ours, self._count(one, budget), acted, *attempted])
            if lost is None:
                return
            if lost[0]:
                raise ConflictError(f"lease of {target}: it is not ours any more")
        raise ThrottledError(f"counting a change of {budget.workload}: turned away {CONFLICT_TRIES} times")

    def note(self, incident_id: str, entries: Sequence[Entry]) -> None:
        self._all(incident_id, [self._put_entry(incident_id, e) for e in entries])

    def close(
        self, incident_id: str, status: IncidentStatus, reason: str, entry: Entry, now: datetime
    ) -> Incident:
        case = self.case(incident_id)
        incident = case.incident
        if incident.status is IncidentStatus.OPEN:
            well = status in {IncidentStatus.RESOLVED, IncidentStatus.RECOVERED} or case.alarm_is_over
            over = [self._delete_trouble(incident.workload, incident.environment, incident.fingerprint)]
            lost = self._transact(
                [
                    self._update(
                        keys.incident(incident_id),
                        "SET #status = :status, outcome = :reason, closed_at = :at",
                        "#status = :open",
                        {
                            ":status": status,
                            ":reason": reason,
                            ":at": _time(now),
                            ":open": IncidentStatus.OPEN,
                        },
                        names={"#status": "status"},
                    ),
                    self._update(
                        keys.problem(incident.fingerprint),
                        "SET open_incident = :none",
                        "open_incident = :id",
                        {":none": "", ":id": incident_id},
                    ),
                    self._put_entry(incident_id, entry),
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
        lost = self._transact(
            [
                self._put_record(record),
                self._update(
                    keys.incident(incident_id),
                    "SET signals = signals + :one",
                    "#status = :open",
                    {":one": 1, ":open": IncidentStatus.OPEN},
                    names={"#status": "status"},
                ),
                self._put_entry(incident_id, _signal_entry(signal, now)),
                *self._put_alarm_change(signal, now),
            ]
        )
        return lost is None or lost[0] is not None

    def _put_decision(self, record: DecisionRecord, *more: Write) -> DecisionRecord:
        if self._transact([self._put_record(record), *more]) is None:
            return record
        return self.decision(record.signal.id) or record

    def _all(self, what: str, writes: Sequence[Write]) -> None:
        if lost := self._transact(writes):
            raise ConflictError(f"{what}: {', '.join(sorted({code for code in lost if code}))}")

    def _transact(self, writes: Sequence[Write]) -> list[str | None] | None:
        """Write all or nothing. None: written; else per write the code that stopped it, or None.

        Raises ThrottledError where other writes were at the same items each time.
        """
        client = self._client
        for tries in range(CONFLICT_TRIES):
            if tries:
                longest = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
                self._pause(random.uniform(0, longest))  # noqa: S311 - nobody gains by guessing it
            with translated("writing to the ledger"):
                try:
                    client.transact_write_items(TransactItems=list(writes))
                except client.exceptions.TransactionCanceledException as error:
                    codes = [r.get("Code", "None") for r in error.response["CancellationReasons"]]
                    lost = [None if code == "None" else code for code in codes]
                    if set(lost) & AGAIN:
                        continue
                    if set(lost) - {None, "ConditionalCheckFailed"}:
                        raise
                    return lost
            return None
        raise ThrottledError(f"writing to the ledger: turned away {CONFLICT_TRIES} times")

    def _put_record(self, record: DecisionRecord) -> Write:
        expires = int((record.decided_at + KEEP_DECISIONS).timestamp())
        return self._put(keys.signal(record.signal.id), record.model_dump_json(), FREE, expires=expires)

    def _put_incident(self, incident: Incident) -> Write:
        ended = {"outcome": incident.outcome, "closed_at": incident.closed_at and _time(incident.closed_at)}
        return self._put(
            keys.incident(incident.id),
            incident.model_dump_json(),
            FREE,
            status=incident.status,
            signals=incident.signals,
            GSI1PK=keys.workload(incident.workload, incident.environment),
            GSI1SK=_time(incident.opened_at),
            **{name: value for name, value in ended.items() if value},
        )

    def _put_entry(self, incident_id: str, entry: Entry) -> Write:
        # A repeated step writes the same key again: the later text wins, no line stands twice.
        return self._put(keys.entry(incident_id, entry.key), entry.model_dump_json(), None)

    def _put_attempt(self, incident_id: str, attempt: Attempt) -> list[Write]:
        """The attempt, and what its target's history says of it."""
        writes = [self._put(keys.attempt(incident_id, attempt.number), attempt.model_dump_json(), None)]
        if change := attempt.change(incident_id):
            key = keys.change(change.target, incident_id, attempt.number)
            expires = int((change.at + KEPT_FOR).timestamp())
            writes.append(self._put(key, change.model_dump_json(), None, expires=expires))
        return writes

    def _put_trouble(self, incident: Incident, condition: str | None = None) -> Write:
        key = keys.trouble(incident.workload, incident.environment, incident.fingerprint)
        expires = int((incident.opened_at + KEEP_TROUBLES).timestamp())
        return self._put(
            key, "", condition, resource=incident.resource, incident=incident.id, expires=expires
        )

    def _delete_trouble(self, workload: str, environment: str, fingerprint: str) -> Write:
        key = keys.trouble(workload, environment, fingerprint)
        return {"Delete": {"TableName": self._table, "Key": key}}

    def _put_alarm_change(self, signal: Signal, now: datetime) -> list[Write]:
        # A contributor is one of many time series: that it changes does not mean that the alarm does.
        of_an_alarm = signal.kind is SignalKind.ALARM and not signal.contributor
        if not of_an_alarm or signal.state is State.INSUFFICIENT_DATA:
            return []
        key = keys.alarm_change(signal.subject, _time(signal.at), signal.state)
        return [self._put(key, "", None, at=_time(signal.at), expires=int((now + KEPT_FOR).timestamp()))]

    def _count(self, one: Counted, budget: Budget) -> Write:
        """Count a change on the workload's budget, unless others count theirs in between."""
        key = keys.budget(budget.workload, budget.environment)
        item = self._get(key) or {"doc": {"S": "[]"}, "version": {"N": "0"}}
        seen = int(item["version"]["N"])
        doc = COUNTED.dump_json(spend(COUNTED.validate_json(item["doc"]["S"]), one, budget)).decode()
        write = self._put(key, doc, "attribute_not_exists(PK) OR version = :seen", version=seen + 1)
        write["Put"]["ExpressionAttributeValues"] = {":seen": {"N": str(seen)}}
        return write

    def _put(self, key: keys.Key, doc: str, condition: str | None, **more: str | int) -> Write:
        item: dict[str, Any] = {**key, "doc": {"S": doc}, **{k: _value(v) for k, v in more.items()}}
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        if condition:
            put["ConditionExpression"] = condition
        return {"Put": put}

    def _update(
        self,
        key: keys.Key,
        expression: str,
        condition: str | None,
        values: dict[str, str | int],
        names: dict[str, str] | None = None,
    ) -> Write:
        update: dict[str, Any] = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": expression,
            "ExpressionAttributeValues": {k: _value(v) for k, v in values.items()},
        }
        if condition:
            update["ConditionExpression"] = condition
        if names:
            update["ExpressionAttributeNames"] = names
        return {"Update": update}

    @property
    def _client(self) -> Any:
        return self._aws.lean("dynamodb")


def _record(
    signal: Signal, decision: Decision, reason: DecisionReason, incident_id: str | None, now: datetime
) -> DecisionRecord:
    return DecisionRecord(
        signal=signal, decision=decision, reason=reason, incident_id=incident_id, decided_at=now
    )


def _signal_entry(signal: Signal, now: datetime) -> Entry:
    return Entry(
        key=f"signal-{signal.id}",
        at=now,
        kind=EntryKind.SIGNAL_RECEIVED,
        text=signal.headline,
        detail={
            "alarm": signal.name,
            "state": signal.state,
            "since": _time(signal.at),
            "reason": signal.reason,
        },
    )


def _incident(item: dict[str, Any]) -> Incident:
    changing = {
        "status": item["status"]["S"],
        "signals": int(item["signals"]["N"]),
        "runbook": item.get("runbook", {}).get("S") or None,
        "outcome": item.get("outcome", {}).get("S"),
        "closed_at": item.get("closed_at", {}).get("S"),
    }
    return Incident.model_validate({**json.loads(item["doc"]["S"]), **changing})


def _ok_since(signal: Signal) -> str:
    """Attribute of a problem: since when one of its alarms is OK."""
    return f"ok_since {signal.name}"


def _time(at: datetime) -> str:
    """Sorts as text in the order of time."""
    return at.isoformat(timespec="milliseconds")


def _value(value: str | int) -> dict[str, str]:
    return {"N": str(value)} if isinstance(value, int) else {"S": str(value)}
