"""S3 dates objects and their versions in sandbox time: what was there at a moment is asked by the sandbox's clock."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import replace


def install(clock: SandboxClock) -> None:
    from ministack.services import s3

    def now() -> str:
        return f"{datetime.fromtimestamp(clock.time(), UTC):%Y-%m-%dT%H:%M:%S.000Z}"  # S3 knows whole seconds

    replace(s3, "now_iso", lambda _before: now)
