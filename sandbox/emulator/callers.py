"""Who makes a call: the Lambda function that runs just now, or the role of a state machine.

A worker's SDK sends its invocation's trace id with every call (botocore does so wherever a function runs), and that
id belongs to one invocation in one process. The calls of state machines carry their role in the user agent, see
step_functions/clients.py. Everybody else (tests, the command line) is nobody here.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.emulator.lambda_environment import ExecutionEnvironment, Outcome
from sandbox.emulator.wrapping import replace

_ROLE = re.compile(r"\bstates/(\S+)")


@dataclass(frozen=True)
class Caller:
    """`invocation` tells a function's invocations apart; a state machine has none, and cannot be killed."""

    name: str
    invocation: str = ""
    kill: Callable[[], None] | None = None


class Callers:
    def __init__(self) -> None:
        self._running: dict[str, Caller] = {}
        self._lock = threading.Lock()

    def of(self, headers: dict[str, str]) -> Caller | None:
        """Who sent a request with these headers; None for everybody else."""
        trace = headers.get("x-amzn-trace-id", "").split(";")[0]
        with self._lock:
            if caller := self._running.get(trace):
                return caller
        role = _ROLE.search(headers.get("user-agent", ""))
        return Caller(role[1]) if role else None

    def install(self) -> None:
        def known(before: Callable[..., Outcome]) -> Callable[..., Outcome]:
            def invoke(
                environment: ExecutionEnvironment, event: Any, request_id: str, arn: str, trace_id: str
            ) -> Outcome:
                root = trace_id.split(";", maxsplit=1)[0]
                with self._lock:
                    self._running[root] = Caller(
                        environment.config["FunctionName"], request_id, environment.kill
                    )
                try:
                    return before(environment, event, request_id, arn, trace_id)
                finally:
                    with self._lock:
                        del self._running[root]

            return invoke

        replace(ExecutionEnvironment, "invoke", known)
