"""Lambda concurrency on a small machine: at most N handlers run at once, the others wait their turn.

AWS starts another execution environment for every concurrent invocation. Here an invocation waits for a slot
instead; function and account concurrency limits are judged before, so waiting is never visible as a throttle. A
handler that calls another function holds its slot meanwhile, so every depth of nesting has N slots of its own:
a wait always points one level deeper and can therefore never close a circle.

Idle environments stay warm, up to WARM_PER_SLOT times N processes in all; beyond that the one idle for longest
goes. SELFRIGHT_SANDBOX_WORKERS sets N.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.emulator.lambda_environment import ExecutionEnvironment

VARIABLE = "SELFRIGHT_SANDBOX_WORKERS"
DEFAULT_WORKERS = 8
# The respond loop alone walks through about a dozen functions: with fewer warm ones each step is a cold start.
WARM_PER_SLOT = 3


@dataclass(frozen=True)
class Key:
    """Invocations with the same key may share an environment. `fingerprint` changes with code or settings."""

    function: str  # unqualified ARN
    version: str
    fingerprint: str


class Pool:
    """All execution environments of the emulator."""

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"{VARIABLE} must be at least 1, not {workers}")
        self._workers = workers
        self._lock = threading.Lock()
        self._slots: dict[int, threading.BoundedSemaphore] = {}
        self._idle: list[tuple[Key, ExecutionEnvironment]] = []  # idle for longest first
        self._busy = 0

    @classmethod
    def from_environment(cls) -> Pool:
        return cls(int(os.environ.get(VARIABLE) or DEFAULT_WORKERS))

    @contextmanager
    def lease(
        self, key: Key, depth: int, start: Callable[[], ExecutionEnvironment]
    ) -> Iterator[ExecutionEnvironment]:
        """An environment for `key`, warm where there is one. `depth`: 1 for a call from outside."""
        with self._slot(depth):
            environment = self._take(key)
            try:
                environment = environment or start()
                yield environment
            finally:
                self._give_back(key, environment)

    def retire(self, function: str, version: str | None) -> None:
        """End the idle environments of a function (of one version of it); busy ones finish their work."""
        with self._lock:
            gone = [
                entry
                for entry in self._idle
                if entry[0].function == function and version in (None, entry[0].version)
            ]
            self._idle = [entry for entry in self._idle if entry not in gone]
        for _, environment in gone:
            environment.close()

    def _slot(self, depth: int) -> threading.BoundedSemaphore:
        with self._lock:
            return self._slots.setdefault(depth, threading.BoundedSemaphore(self._workers))

    def _take(self, key: Key) -> ExecutionEnvironment | None:
        """The warm environment used last; None after room was made for a new one."""
        with self._lock:
            self._busy += 1
            dead = [environment for _, environment in self._idle if not environment.usable]
            self._idle = [entry for entry in self._idle if entry[1] not in dead]
            warm = next((entry for entry in reversed(self._idle) if entry[0] == key), None)
            if warm:
                self._idle.remove(warm)
            elif self._idle and self._busy + len(self._idle) > self._workers * WARM_PER_SLOT:
                dead.append(self._idle.pop(0)[1])
        for environment in dead:
            environment.close()
        return warm[1] if warm else None

    def _give_back(self, key: Key, environment: ExecutionEnvironment | None) -> None:
        usable = environment is not None and environment.usable
        with self._lock:
            self._busy -= 1
            if environment is not None and usable:
                self._idle.append((key, environment))
        if environment is not None and not usable:
            environment.close()
