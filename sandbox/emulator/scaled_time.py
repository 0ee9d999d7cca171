"""A stand-in for the `time` module inside one MiniStack service: its time() is the sandbox's."""

from __future__ import annotations

import time
from typing import Any

from sandbox.emulator.clock import SandboxClock


class ScaledTime:
    """Everything but time() is the real module's: sleeping and measuring are work, and work is not scaled."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def time(self) -> float:
        return self._clock.time()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)
