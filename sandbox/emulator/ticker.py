"""Work that AWS does by itself at every full minute (or 10 s), in sandbox time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from sandbox.emulator.clock import SandboxClock

logger = logging.getLogger(__name__)

# Faster than this the boundaries of a very high scale are taken together: the newest one counts.
SHORTEST_WAIT = 0.02


def every(clock: SandboxClock, seconds: int, run: Callable[[int], None], *, name: str) -> None:
    """Start a thread that calls `run(boundary)` at each multiple of `seconds` of sandbox time.

    `boundary` is the epoch second that has just passed. A boundary missed because `run` took long is skipped:
    the next call names the newest one. An exception is logged and ends only that call.
    """

    def loop() -> None:
        done = int(clock.time()) // seconds * seconds
        while True:
            time.sleep(max(clock.wall_seconds(done + seconds - clock.time()), SHORTEST_WAIT))
            boundary = int(clock.time()) // seconds * seconds
            if boundary <= done:
                continue
            done = boundary
            try:
                run(boundary)
            except Exception:
                logger.exception("%s failed at %d", name, boundary)

    threading.Thread(target=loop, name=name, daemon=True).start()
