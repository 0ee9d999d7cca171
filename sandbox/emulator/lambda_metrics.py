"""AWS/Lambda metrics of every invocation, whoever makes it, exactly once, under all of AWS's dimension sets.

Per invocation: Invocations, Errors (0 or 1), Throttles (0), Duration and ConcurrentExecutions; a refused call
counts as a Throttle only. Dimension sets: none (the region), FunctionName, FunctionName + Resource, and for an
alias also ExecutedVersion. Unlike on AWS, datapoints carry the time at which the invocation ended, not began.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.lambda_aliases import qualifier_of
from sandbox.emulator.wrapping import original, replace

NAMESPACE = "AWS/Lambda"
DimensionSet = dict[str, str]
Execute = Callable[[dict[str, Any], Any], dict[str, Any]]


def install(_clock: SandboxClock) -> None:
    from ministack.services import lambda_svc

    running = _Running()

    def metered(before: Execute) -> Execute:
        def execute(function: dict[str, Any], event: Any) -> dict[str, Any]:
            config = function.get("config") or function
            if original(lambda_svc, "_function_config_scope_mismatch")(config):
                return before(function, event)  # which comes back here in the function's own scope
            sets = dimension_sets(config)
            concurrent = running.enter(sets)
            try:
                result = before(function, event)
            finally:
                running.leave(sets)
            for dimensions, count in zip(sets, concurrent, strict=True):
                _record(dimensions, count, result)
            return result

        return execute

    # MiniStack's own count sees the Invoke API only.
    replace(lambda_svc, "_emit_lambda_metrics", lambda _before: lambda *_args, **_kwargs: None)
    replace(lambda_svc, "_execute_function", metered)


def dimension_sets(config: dict[str, Any]) -> list[DimensionSet]:
    """Under which dimensions AWS reports an invocation of the function version `config` describes."""
    name, version = config["FunctionName"], config["Version"]
    qualifier = qualifier_of(config["FunctionArn"])
    by_name = {"FunctionName": name}
    by_resource = {**by_name, "Resource": f"{name}:{qualifier}" if qualifier else name}
    sets = [{}, by_name, by_resource]
    if qualifier not in (None, version):
        sets.append({**by_resource, "ExecutedVersion": version})
    return sets


def _record(dimensions: DimensionSet, concurrent: int, result: dict[str, Any]) -> None:
    from ministack.services import cloudwatch

    record = original(cloudwatch, "record_metric")
    if result.get("throttle"):
        record(NAMESPACE, "Throttles", 1, "Count", dimensions)
        return
    record(NAMESPACE, "Invocations", 1, "Count", dimensions)
    record(NAMESPACE, "Errors", int(bool(result.get("error"))), "Count", dimensions)
    record(NAMESPACE, "Throttles", 0, "Count", dimensions)
    record(NAMESPACE, "ConcurrentExecutions", concurrent, "Count", dimensions)
    if "duration_ms" in result:
        record(NAMESPACE, "Duration", result["duration_ms"], "Milliseconds", dimensions)


class _Running:
    """How many invocations are under way, per dimension set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[frozenset[tuple[str, str]]] = Counter()

    def enter(self, sets: list[DimensionSet]) -> list[int]:
        keys = [frozenset(dimensions.items()) for dimensions in sets]
        with self._lock:
            self._counts.update(keys)
            return [self._counts[key] for key in keys]

    def leave(self, sets: list[DimensionSet]) -> None:
        with self._lock:
            for dimensions in sets:
                key = frozenset(dimensions.items())
                self._counts[key] -= 1
                if not self._counts[key]:
                    del self._counts[key]
