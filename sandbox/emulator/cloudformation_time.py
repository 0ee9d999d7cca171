"""CloudFormation tells its moments (events, stacks, change sets) on the sandbox clock."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import replace


def install(clock: SandboxClock) -> None:
    from ministack.services.cloudformation import changesets, handlers, stacks

    def now() -> str:
        at = datetime.fromtimestamp(clock.time(), UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"

    for module in (changesets, handlers, stacks):
        replace(module, "now_iso", lambda _before: now)
