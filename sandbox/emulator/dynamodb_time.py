"""DynamoDB lives in sandbox time: creation dates, stream records, and the deletion of expired items."""

from __future__ import annotations

from ministack.services import dynamodb

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.scaled_time import ScaledTime
from sandbox.emulator.wrapping import replace


def install(clock: SandboxClock) -> None:
    replace(dynamodb, "time", lambda _module: ScaledTime(clock))
