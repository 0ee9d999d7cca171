"""Transactions over items of the control plane's one table: what a write looks like, and how one is got through.

An item carries its model as JSON in `doc`; beside it stand only the attributes that conditions and indexes need.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.adapters.ledger_keys import Key
from selfright.domain.errors import ThrottledError

FREE = "attribute_not_exists(PK)"
# Signals of one problem write its item at the same time; DynamoDB then turns all but one away, and the SDK does not
# repeat a cancelled transaction. In a burst up to ten functions meet at one incident (MaximumConcurrency): they step
# aside for a random part of 20 ms, 40 ms, ... 640 ms. Who is turned away for good comes back after six minutes.
CONFLICT_TRIES = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.64
AGAIN = {"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"}

Write = dict[str, Any]


class Transactions:
    """Writes to one table, each time all or nothing."""

    def __init__(self, aws: Aws, table: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._aws, self._table, self._pause = aws, table, pause

    def transact(self, writes: Sequence[Write]) -> list[str | None] | None:
        """None: written; else per write the code that stopped it, or None.

        Raises ThrottledError where other writes were at the same items each time.
        """
        client = self._aws.lean("dynamodb")
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

    def put(self, key: Key, doc: str, condition: str | None, **more: str | int) -> Write:
        item: dict[str, Any] = {**key, "doc": {"S": doc}, **{k: _value(v) for k, v in more.items()}}
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        if condition:
            put["ConditionExpression"] = condition
        return {"Put": put}

    def update(
        self,
        key: Key,
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

    def delete(self, key: Key) -> Write:
        return {"Delete": {"TableName": self._table, "Key": key}}


def time_text(at: datetime) -> str:
    """Sorts as text in the order of time."""
    return at.isoformat(timespec="milliseconds")


def _value(value: str | int) -> dict[str, str]:
    return {"N": str(value)} if isinstance(value, int) else {"S": str(value)}
