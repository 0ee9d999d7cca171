"""An application that writes to the table of analysis results, at a rate and size that a test sets."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

from botocore.exceptions import ClientError

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
        self._interval = 1 / (WRITES_PER_SANDBOX_SECOND * server.scale)
        self._changed = threading.Condition()
        self._units = 0
        self._keys = KEYS
        self._due = 0.0
        self._number = 0
        self._stopping = False
        self._senders: list[threading.Thread] = []
        self.answers: Counter[str] = Counter()  # "ok", or the code of the error

    def __enter__(self) -> Self:
        self._senders = [threading.Thread(target=self._send, daemon=True) for _ in range(SENDERS)]
        for sender in self._senders:
            sender.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for sender in self._senders:
            sender.join()

    def write(self, units: int, keys: int = KEYS) -> None:
        """From now on items of `units` write units each, spread over so many partition keys."""
        with self._changed:
            self._units, self._keys = units, keys
            self._due = time.monotonic()
            self._changed.notify_all()

    def _send(self) -> None:
        while task := self._next():
            number, units = task
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

    def _next(self) -> tuple[int, int] | None:
        """Wait until a write is due; None at the end. One that is late is not caught up on."""
        with self._changed:
            while not self._stopping:
                wait = self._due - time.monotonic()
                if self._units and wait <= 0:
                    self._due = max(self._due, time.monotonic() - self._interval) + self._interval
                    self._number += 1
                    return self._number, self._units
                self._changed.wait(wait if self._units else None)
        return None
