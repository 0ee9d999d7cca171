"""The time that states read is the sandbox's: `$now()`, `$millis()` and the times in the context object.

The dates of DescribeExecution and of the history stay wall time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timezone
from types import SimpleNamespace
from typing import Any

from jsonata.functions import Functions
from ministack.services import stepfunctions

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import original, replace


def iso(moment: float) -> str:
    """Epoch seconds as AWS writes a moment: 2026-11-23T13:49:54.253Z"""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def install(clock: SandboxClock) -> None:
    def millis() -> int:
        return int(clock.time() * 1000)

    def now(picture: str | None = None, zone: str | None = None) -> Any:
        return Functions.datetime_from_millis(millis(), picture, zone)

    def with_sandbox_time(before: Callable[[Any], None]) -> Callable[[Any], None]:
        def register(compiled: Any) -> None:
            before(compiled)
            compiled.register_lambda("millis", millis)
            compiled.register_lambda("now", now)

        return register

    def entered(_module: Any) -> SimpleNamespace:
        """Stands in for the `datetime` module where a state notes when it was entered."""
        moment = SimpleNamespace(isoformat=lambda: iso(clock.time()))
        return SimpleNamespace(datetime=SimpleNamespace(now=lambda **_zone: moment), timezone=timezone)

    original(Functions, "datetime_from_millis")
    replace(stepfunctions, "_register_sfn_jsonata_functions", with_sandbox_time)
    replace(asl("component.state.state"), "datetime", entered)
