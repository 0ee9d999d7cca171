"""FilterLogEvents and subscription filters follow the filter pattern syntax.

MiniStack takes every JSON pattern for "all lines", and any term without regard to case.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cloudwatch_logs

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.cloudwatch_log_patterns import Pattern, PatternError
from sandbox.emulator.wrapping import replace

Operation = Callable[[dict[str, Any]], Any]

_compiled = cache(Pattern)


def install(_clock: SandboxClock) -> None:
    replace(cloudwatch_logs, "_compile_filter_pattern", lambda _before: lambda text: _matcher(text or ""))
    replace(cloudwatch_logs, "_subscription_pattern_matches", lambda _before: _matches)
    for operation in ("_filter_log_events", "_put_subscription_filter"):
        replace(cloudwatch_logs, operation, _valid_patterns_only)


def _matcher(text: str) -> Callable[[str], bool]:
    pattern = _compiled(text)
    return lambda message: pattern.match(message) is not None


def _matches(text: str | None, message: str | None) -> bool:
    return _matcher(text or "")(message or "")


def _valid_patterns_only(before: Operation) -> Operation:
    def serve(data: dict[str, Any]) -> Any:
        try:
            _compiled(data.get("filterPattern") or "")
        except PatternError as error:
            return error_response_json("InvalidParameterException", f"Invalid filter pattern: {error}", 400)
        return before(data)

    return serve
