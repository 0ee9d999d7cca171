"""Customers of the forty shops: real writes to the shops' tables, so many that a table is too small for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import cycle
from types import TracebackType
from typing import Self

from botocore.exceptions import ClientError

from sandbox import forty_shops as shops
from sandbox.server import Server

# An order of so many units, so often in a sandbox second: three times the least that the manifest wants, so that the
# remedy for any one shop is a small one.
UNITS, ORDERS = 20, 0.5
SENDERS = 4
_KEYS = 100  # bytes at most of keys and attribute names


class Customers:
    """Order in the shops that they were sent to, while the `with` block runs; who is refused comes again later."""

    def __init__(self, server: Server) -> None:
        self._dynamodb = server.client(
            "dynamodb", retries={"total_max_attempts": 1, "mode": "standard"}, max_pool_connections=SENDERS
        )
        self._every = 1 / (ORDERS * server.scale)
        self._changed = threading.Condition()
        self._shops: tuple[str, ...] = ()
        self._units = UNITS
        self._next: Iterator[str] = iter(())
        self._due = 0.0
        self._over = False

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._order, daemon=True) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def come(self, where: tuple[str, ...], units: int = UNITS) -> None:
        """From now on into these shops, and no others, with orders of so many write units."""
        with self._changed:
            self._shops, self._next, self._due = where, cycle(where), time.monotonic()
            self._units = units
            self._changed.notify_all()

    def _order(self) -> None:
        while order := self._wait_for_one():
            shop, units = order
            # A write costs the larger of the old and the new item: each size has an item of its own.
            item = {"order_id": {"S": f"of-{units}"}, "what": {"S": "x" * (units * 1024 - _KEYS)}}
            try:
                self._dynamodb.put_item(TableName=shops.table(shop), Item=item)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ProvisionedThroughputExceededException":
                    raise

    def _wait_for_one(self) -> tuple[str, int] | None:
        """Shop and units of the next order, when it is due; None at the end. More than a second late is too late."""
        with self._changed:
            while not self._over:
                wait = self._due - time.monotonic()
                if self._shops and wait <= 0:
                    self._due = max(self._due, time.monotonic() - 1) + self._every / len(self._shops)
                    return next(self._next), self._units
                self._changed.wait(wait if self._shops else None)
        return None
