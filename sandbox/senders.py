"""Threads that send what is due, at a rate that may change at any time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, Self, TypeVar

Made = TypeVar("Made")


class Senders(Generic[Made]):
    """`make`s what is due, one at a time, and `send`s it, while the `with` block runs.

    Open-loop, as users are: what is due while all threads are busy is `missed`, not caught up on later.
    """

    def __init__(self, number: int, make: Callable[[], Made], send: Callable[[Made], None]) -> None:
        self._make, self._send = make, send
        self._changed = threading.Condition()
        self._rate = self._due = 0.0
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"sender-{n}", daemon=True) for n in range(number)
        ]
        self.missed = 0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop and wait for what is under way."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def pace(self, per_second: float) -> None:
        """From now on so many in a second of the wall; 0 pauses."""
        with self._changed:
            self._rate, self._due = per_second, time.monotonic()
            self._changed.notify_all()

    def _work(self) -> None:
        while (made := self._next()) is not None:
            self._send(made)

    def _next(self) -> Made | None:
        """Wait until one is due; None at the end."""
        with self._changed:
            while not self._stopping:
                wait = self._due - time.monotonic()
                if self._rate > 0 and wait <= 0:
                    missed = int(-wait * self._rate)
                    self.missed += missed
                    self._due += (missed + 1) / self._rate
                    return self._make()
                self._changed.wait(wait if self._rate > 0 else None)
        return None
