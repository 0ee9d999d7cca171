"""Wait states and retry intervals last their sandbox time, and end at once when their execution stops.

Task timeouts and heartbeats bound work, and work is not scaled: they stay wall time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import replace

# The interpreter's wake-up signal can be missed by a thread that is just about to wait.
LONGEST_SLEEP = 0.5


def pause(env: Any, wall_seconds: float) -> None:
    """Sleep, unless the execution of `env` ends."""
    deadline = time.monotonic() + wall_seconds
    while env.is_running() and (left := deadline - time.monotonic()) > 0:
        env.program_state_event.wait(min(left, LONGEST_SLEEP))


def install(clock: SandboxClock) -> None:
    current = threading.local()

    def scaled(_before: Callable[..., None]) -> Callable[..., None]:
        return lambda _self, env, wait_seconds: pause(env, clock.wall_seconds(wait_seconds))

    def until(before: Callable[..., int]) -> Callable[[Any, Any], float]:
        def seconds_left(self: Any, env: Any) -> float:
            self.string.eval(env=env)
            try:
                moment = datetime.fromisoformat(env.stack.pop())
            except (TypeError, ValueError):
                return before(self, env)  # which refuses it with AWS's message
            if moment.tzinfo is None:
                return before(self, env)
            return max(moment.timestamp() - clock.time(), 0.0)

        return seconds_left

    def remember_execution(before: Callable[..., None]) -> Callable[[Any, Any], None]:
        def retry(self: Any, env: Any) -> None:
            current.env = env
            before(self, env)

        return retry

    def sleep(seconds: float) -> None:
        pause(current.env, clock.wall_seconds(seconds))

    wait = asl("component.state.wait.wait_function.wait_function").WaitFunction
    retrier = asl("component.common.retry.retrier_decl")
    replace(wait, "_wait_interval", scaled)
    replace(asl("component.state.wait.wait_function.timestamp").Timestamp, "_get_wait_seconds", until)
    replace(retrier.RetrierDecl, "_eval_body", remember_execution)
    replace(retrier, "time", lambda _module: SimpleNamespace(sleep=sleep))
