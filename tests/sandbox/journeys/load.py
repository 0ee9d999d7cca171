"""An application that writes to the table of analysis results, at a rate and size that a test sets."""

from __future__ import annotations

from collections import Counter
from typing import Self

from botocore.exceptions import ClientError

from sandbox.senders import Senders
from sandbox.server import Server

WRITES_PER_SANDBOX_SECOND = 0.5  # 30 a minute: the alarm ignores minutes with ten attempts or fewer
SENDERS = 2
KEYS = 40
_ITEM_OVERHEAD = 200  # bytes at most of keys and attribute names


class Load:
    """Puts items of `units` write units each while the `with` block runs; 0 pauses.

    Open-loop, and without the SDK's retries, so that the demand is what a test says. Each key is written again and
    again: the table does not grow.
    """

    def __init__(self, server: Server, table: str) -> None:
        self._table = table
        self._dynamodb = server.client("dynamodb", retries={"total_max_attempts": 1, "mode": "standard"})
        self._rate = WRITES_PER_SANDBOX_SECOND * server.scale
        self._units = 0
        self._keys = KEYS
        self._number = 0
        self._senders = Senders(SENDERS, self._next, self._send)
        self.answers: Counter[str] = Counter()  # "ok", or the code of the error

    def __enter__(self) -> Self:
        self._senders.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._senders.__exit__()

    def write(self, units: int, keys: int = KEYS) -> None:
        """From now on items of `units` write units each, spread over so many partition keys."""
        self._units, self._keys = units or self._units, keys
        self._senders.pace(self._rate if units else 0)

    def _next(self) -> tuple[int, int]:
        self._number += 1
        return self._number, self._units

    def _send(self, write: tuple[int, int]) -> None:
        number, units = write
        item = {
            "opportunity_id": {"S": f"LOAD-{number % self._keys:03d}"},
            # A write costs the larger of the old and the new item: each size has items of its own.
            "analysis_id": {"S": f"{units:03d}#{number % KEYS:03d}"},
            "payload": {"S": "x" * (units * 1024 - _ITEM_OVERHEAD)},
        }
        try:
            self._dynamodb.put_item(TableName=self._table, Item=item)
            self.answers["ok"] += 1
        except ClientError as error:
            self.answers[error.response["Error"]["Code"]] += 1
