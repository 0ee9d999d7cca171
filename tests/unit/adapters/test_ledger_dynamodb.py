"""What only DynamoDB can do to a ledger: turn transactions away, and lose its balance."""

from __future__ import annotations

import random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfright.adapters import ledger_keys as keys
from selfright.adapters.aws import Aws
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.adapters.ledger_writes import CONFLICT_TRIES
from selfright.domain.errors import ConflictError, NotFoundError, SourceDownError, ThrottledError
from selfright.domain.incident import Entry, EntryKind, Incident, IncidentStatus
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord
from tests.unit.adapters.test_ledger_contract import NOW, incident_of
from tests.unit.usecases.world import signal


def store(aws: Aws, table: str, pauses: list[float] | None = None) -> DynamoDBIncidentStore:
    return DynamoDBIncidentStore(aws, table, pause=([] if pauses is None else pauses).append)


def opened(aws: Aws, table: str, pauses: list[float] | None = None) -> tuple[DecisionRecord, Incident]:
    incident = incident_of(signal())
    return store(aws, table, pauses).open_or_join(incident, signal(), NOW), incident


def cancelled(*codes: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"},
            "CancellationReasons": [{"Code": code} for code in codes],
        },
        "TransactWriteItems",
    )


class TurningAway:
    """A client whose next transactions are cancelled with the given reasons, one after the other."""

    def __init__(self, client: Any, *errors: ClientError) -> None:
        self._client, self._errors = client, list(errors)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **request: Any) -> Any:
        if self._errors:
            error = self._errors.pop(0)
            raise self._client.exceptions.TransactionCanceledException(error.response, "TransactWriteItems")
        return self._client.transact_write_items(**request)


class Busy(Aws):
    def __init__(self, aws: Aws, *errors: ClientError) -> None:
        super().__init__()
        self._clients = {"dynamodb": TurningAway(aws.client("dynamodb"), *errors)}


def test_a_write_that_met_others_is_tried_again(aws: Aws, table: str):
    crowded = Busy(aws, *[cancelled("None", "TransactionConflict", "None", "None")] * 3)

    record, _ = opened(crowded, table)

    assert record.decision is Decision.OPENED


def test_a_write_that_meets_others_every_time_may_be_repeated_later(aws: Aws, table: str):
    crowded = Busy(aws, *[cancelled("None", "TransactionConflict", "None", "None")] * CONFLICT_TRIES)

    with pytest.raises(ThrottledError, match=f"turned away {CONFLICT_TRIES} times"):
        opened(crowded, table)


def test_who_was_turned_away_steps_aside_longer_each_time(
    aws: Aws, table: str, monkeypatch: pytest.MonkeyPatch
):
    """In all less than two seconds: a batch of ten must end within its function's minute."""
    monkeypatch.setattr(random, "uniform", lambda _, longest: longest)
    crowded = Busy(aws, *[cancelled("TransactionConflict", "None")] * (CONFLICT_TRIES - 1))
    pauses: list[float] = []

    opened(crowded, table, pauses)

    assert pauses == pytest.approx([0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 0.64])


def test_a_write_that_can_never_succeed_is_not_called_throttled(aws: Aws, table: str):
    broken = Busy(aws, cancelled("None", "None", "ValidationError", "None"))

    with pytest.raises(SourceDownError) as caught:
        opened(broken, table)

    assert not isinstance(caught.value, ThrottledError)


def test_joining_looks_again_where_the_incident_is_closed_meanwhile(aws: Aws, table: str):
    """The problem was open when we looked, its incident closed when we wrote."""
    record, incident = opened(aws, table)
    joining = Busy(aws)
    real = joining.client("dynamodb").transact_write_items
    writes = []

    def close_before_the_join(**request: Any) -> Any:
        writes.append(len(request["TransactItems"]))
        if len(writes) == 2:
            line = Entry(key="closed", at=NOW, kind=EntryKind.INCIDENT_CLOSED, text="closed")
            store(aws, table).close(str(record.incident_id), IncidentStatus.RESOLVED, "done", line, NOW)
        return real(**request)

    joining.client("dynamodb").transact_write_items = close_before_the_join
    later = signal(incident.episode.replace(minute=9))
    fresh = store(joining, table).open_or_join(incident_of(later), later, NOW)

    assert fresh.decision is Decision.OPENED
    assert writes == [6, 4, 6]  # open, join, open


def test_closing_says_so_where_the_problem_is_anothers(aws: Aws, table: str):
    record, incident = opened(aws, table)
    key = keys.problem(incident.fingerprint)
    aws.client("dynamodb").update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET open_incident = :other",
        ExpressionAttributeValues={":other": {"S": "inc-other"}},
    )
    line = Entry(key="closed", at=NOW, kind=EntryKind.INCIDENT_CLOSED, text="closed")

    with pytest.raises(ConflictError, match="another incident holds its problem"):
        store(aws, table).close(str(record.incident_id), IncidentStatus.RESOLVED, "done", line, NOW)


def test_a_decision_expires_when_its_executions_name_is_free_again(aws: Aws, table: str):
    store(aws, table).ignore(signal(), DecisionReason.NOT_A_WORKLOAD_ALARM, NOW)

    item = aws.client("dynamodb").get_item(TableName=table, Key=keys.signal(signal().id))["Item"]

    assert int(item["expires"]["N"]) - NOW.timestamp() == 90 * 86_400


def test_a_ledger_that_is_not_there_is_said_to_be_missing(aws: Aws):
    with pytest.raises(NotFoundError, match="writing to the ledger"):
        opened(aws, "no-such-table")
