"""Lambda event source mappings look at their sources at least five times a second.

MiniStack wakes its poller when a message is sent; messages that become visible later (delay, visibility timeout)
and mappings made after the message wait for its idle tick, a second or more.
"""

from __future__ import annotations

import threading

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import original, replace

IDLE_TICK = 0.2  # seconds on the wall


class ImpatientEvent:
    """The event that wakes the poller, with every wait cut to the idle tick."""

    def __init__(self, event: threading.Event) -> None:
        self.set = event.set
        self.clear = event.clear
        self._event = event

    def wait(self, timeout: float) -> bool:
        return self._event.wait(min(timeout, IDLE_TICK))


def install(_clock: SandboxClock) -> None:
    from ministack.services import lambda_svc

    original(lambda_svc, "_poll_loop")
    replace(lambda_svc, "_esm_wake", ImpatientEvent)
