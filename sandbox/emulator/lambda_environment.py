"""Lambda execution environments: error documents, timeouts, the memory limit, logs and peak memory as on AWS.

One environment is one process of lambda_bootstrap.py that serves one invocation at a time. It survives an
exception of its handler; a timeout, too much memory or an exit of the process end it.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.emulator import lambda_contents as contents
from sandbox.emulator.lambda_process import (
    MEGABYTE,
    BootstrapProcess,
    GoneError,
    OutOfMemoryError,
    TimedOutError,
)

# AWS allows 10 s; a machine that runs the emulator, its workload and an editor on two cores gets more.
INIT_LIMIT = 30.0


@dataclass(frozen=True)
class Outcome:
    """How one invocation went. `error` is the error document the caller gets; None on success."""

    result: Any = None
    error: dict[str, Any] | None = None
    status: str = "success"  # or "error", "timeout": the words of the REPORT line
    duration_ms: float = 0.0
    init_ms: float | None = None  # only where this invocation was a cold start
    peak_mb: int = 0
    log: list[str] = field(default_factory=list)


class ExecutionEnvironment:
    """A process with one function version in it. Not thread-safe: the pool lends it to one invocation."""

    def __init__(self, config: dict[str, Any], code: bytes, log_stream: str) -> None:
        self.config = config
        self.log_stream = log_stream
        self._memory_mb = int(config["MemorySize"])
        self._warm = False
        self._broken = False
        task_root, layers = contents.unpack(code), contents.layer_folders(config)
        self._search_path = contents.search_path(task_root, layers)
        self._home = Path(tempfile.mkdtemp(prefix="lambda-environment-"))
        variables = contents.variables(config, task_root, layers, self._home, log_stream)
        self._process = BootstrapProcess(task_root, variables, self._memory_mb * MEGABYTE)

    @property
    def usable(self) -> bool:
        """Whether another invocation may be given to it."""
        return not self._broken and self._process.alive

    def invoke(self, event: Any, request_id: str, function_arn: str, trace_id: str) -> Outcome:
        """Run the handler; the first time, load it before."""
        timeout = float(self.config["Timeout"])
        request = {
            "event": event,
            "request_id": request_id,
            "function_arn": function_arn,
            "trace_id": trace_id,
        }
        begun, init_ms = time.monotonic(), None
        try:
            if not self._warm:
                load = {"handler": self.config["Handler"], "path": self._search_path}
                loaded = self._process.ask(load, begun + INIT_LIMIT)
                init_ms = (time.monotonic() - begun) * 1000
                if "error" in loaded:
                    self._broken = True
                    return self._outcome(init_ms / 1000, error={**loaded["error"], "requestId": request_id})
                self._warm = True
                begun = time.monotonic()
            request["deadline_ms"] = (time.time() + timeout) * 1000
            answer = self._process.ask(request, begun + timeout)
        except TimedOutError:
            text = f"Task timed out after {timeout:.2f} seconds"
            return self._ended("Sandbox.Timedout", text, request_id, timeout)
        except OutOfMemoryError:
            text = "Runtime exited with error: signal: killed"
            return self._ended("Runtime.OutOfMemory", text, request_id, time.monotonic() - begun)
        except GoneError as gone:
            text = f"Runtime exited with error: {gone}"
            return self._ended("Runtime.ExitError", text, request_id, time.monotonic() - begun)
        seconds = time.monotonic() - begun
        return self._outcome(seconds, answer.get("result"), answer.get("error"), init_ms)

    def kill(self) -> None:
        """End the process in the middle of what it does; whoever waits for its answer is told as on AWS."""
        self._process.signal_kill()

    def close(self) -> None:
        """End the process at once and delete its folder."""
        self._broken = True
        self._process.close()
        contents.discard(self._home)

    def _ended(self, error_type: str, text: str, request_id: str, seconds: float) -> Outcome:
        """The process is no more: what AWS tells the caller, and writes below what the handler printed."""
        self._broken = True
        self._process.kill()
        message = f"RequestId: {request_id} Error: {text}"
        timed_out = error_type == "Sandbox.Timedout"
        return self._outcome(
            seconds,
            error={"errorType": error_type, "errorMessage": message},
            status="timeout" if timed_out else "error",
            last_words=[f"{request_id} {text}"] if timed_out else [message, error_type],
        )

    def _outcome(
        self,
        seconds: float,
        result: Any = None,
        error: dict[str, Any] | None = None,
        init_ms: float | None = None,
        *,
        status: str = "",
        last_words: list[str] | None = None,
    ) -> Outcome:
        used = -(-self._process.peak_bytes // MEGABYTE)
        return Outcome(
            result=result,
            error=error,
            status=status or ("error" if error else "success"),
            duration_ms=seconds * 1000,
            init_ms=init_ms,
            peak_mb=min(used, self._memory_mb),  # AWS never shows more than there is
            log=[*self._process.take_log(), *(last_words or [])],
        )
