"""Time in the sandbox: runs `scale` times faster than the wall clock, for everyone who asks.

An alarm that needs five minutes of datapoints needs 25 s at scale 12. Metric timestamps, alarm evaluation,
token buckets, state-machine waits and the clock inside the product's handlers all follow this one line:

    sandbox_time = origin + (wall_time - origin) * scale

Work is not scaled: a handler that takes 80 ms of wall time takes 80 ms (0.96 s of sandbox time at scale 12).
The product reads the same two numbers from SELFRIGHT_CLOCK ("<origin epoch seconds>*<scale>"), which only the
sandbox sets.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

ENVIRONMENT_VARIABLE = "SELFRIGHT_CLOCK"


@dataclass(frozen=True)
class SandboxClock:
    origin: float
    scale: float

    @classmethod
    def from_environment(cls) -> SandboxClock:
        """Read SELFRIGHT_CLOCK; real time where it is not set."""
        text = os.environ.get(ENVIRONMENT_VARIABLE)
        if not text:
            return cls(origin=0.0, scale=1.0)
        origin, _, scale = text.partition("*")
        return cls(origin=float(origin), scale=float(scale))

    def time(self) -> float:
        """Now, in seconds since 1970, sandbox time."""
        return self.at(time.time())

    def at(self, wall: float) -> float:
        """Sandbox time of a wall-clock moment."""
        return self.origin + (wall - self.origin) * self.scale

    def wall_seconds(self, seconds: float) -> float:
        """How long `seconds` of sandbox time last on the wall."""
        return seconds / self.scale
