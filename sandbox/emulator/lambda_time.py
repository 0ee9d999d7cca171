"""Lambda dates functions, versions and code in sandbox time: a release is as old as the clock says."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import replace


def install(clock: SandboxClock) -> None:
    from ministack.services import lambda_svc

    def now() -> str:
        moment = datetime.fromtimestamp(clock.time(), UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"

    replace(lambda_svc, "_now_iso", lambda _before: now)
