"""Ports that fail: always, or once at a chosen call."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from selfright.domain.errors import SourceDownError


class Down:
    """Any port, out of order: whatever is asked of it raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error or SourceDownError("it is down")

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any, **__: Any) -> Any:
            raise self._error

        return fail


class Fuse:
    """Counts every call to the ports that it guards, and blows once: before or after the call of a given number."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._at: int | None = None
        self._before = True
        self._error: BaseException = SourceDownError("it was down once")
        self._lock = threading.Lock()

    def blow(self, at: int, *, before: bool, error: BaseException) -> None:
        """Raise `error` at call number `at`, counted from 0: before it has its effect, or after."""
        self._at, self._before, self._error = at, before, error

    def guard(self, name: str, port: Any) -> Any:
        return _Guarded(name, port, self)

    @contextmanager
    def around(self, call: str) -> Iterator[None]:
        with self._lock:
            number = len(self.calls)
            self.calls.append(call)
        if number == self._at and self._before:
            raise self._error
        yield
        if number == self._at and not self._before:
            raise self._error


class _Guarded:
    def __init__(self, name: str, port: Any, fuse: Fuse) -> None:
        self._name, self._port, self._fuse = name, port, fuse

    def __getattr__(self, method: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._fuse.around(f"{self._name}.{method}"):
                return getattr(self._port, method)(*args, **kwargs)

        return call
