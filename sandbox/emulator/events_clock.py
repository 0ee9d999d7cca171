"""EventBridge runs on the sandbox clock: the `time` of events, and when rate() and cron() rules fire."""

from __future__ import annotations

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import replace

# MiniStack looks at scheduled rules every 10 s. In sandbox time that stays so, down to what a core can spare.
TICK = 10.0
SHORTEST_TICK = 0.2  # seconds on the wall


def install(clock: SandboxClock) -> None:
    from ministack.services import eventbridge

    tick = max(SHORTEST_TICK, clock.wall_seconds(TICK))
    replace(eventbridge, "_now_ts", lambda _before: clock.time)
    replace(eventbridge, "_SCHEDULER_TICK_INTERVAL", lambda _before: tick)
