"""Lambda runs Python functions in execution environments with errors, limits, logs and isolation as on AWS."""

from __future__ import annotations

import contextvars
import hashlib
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.emulator import lambda_contents, lambda_logs
from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.lambda_environment import ExecutionEnvironment
from sandbox.emulator.lambda_pool import Key, Pool
from sandbox.emulator.wrapping import original, replace

# A change of one of these makes Lambda start new environments.
SETTINGS = (
    "CodeSha256",
    "Environment",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
)
ACCOUNT_CONCURRENCY = 1000  # what AWS grants a new account by default
_LINEAGE = re.compile(r"Lineage=1:[0-9a-f]{8}:(\d+)")

# Retries of an asynchronous invocation run under the id of the first attempt.
request_id_in_use: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "lambda_request_id", default=None
)

Dispatch = Callable[[dict[str, Any], dict[str, Any], Any, str, float], dict[str, Any]]


def install(clock: SandboxClock) -> None:
    from ministack.services import lambda_svc

    pool = Pool.from_environment()

    def invalidate(before: Callable[..., None]) -> Callable[..., None]:
        def end(name: str, qualifier: str | None = None, **scope: Any) -> None:
            pool.retire(original(lambda_svc, "_func_arn")(name), qualifier)
            before(name, qualifier=qualifier, **scope)

        return end

    def depth(before: Callable[[dict[str, str]], int]) -> Callable[[dict[str, str]], int]:
        def inbound(headers: dict[str, str]) -> int:
            lineage = _LINEAGE.search(headers.get("x-amzn-trace-id", ""))
            return int(lineage[1]) if lineage else before(headers)

        return inbound

    # Waiting invocations hold no memory, so the account's limit need not follow that of the machine.
    replace(lambda_svc, "_ACCOUNT_CONCURRENCY_CAP", lambda _before: ACCOUNT_CONCURRENCY)
    replace(lambda_svc, "_execute_function_dispatch", lambda before: _Dispatch(clock, pool, before))
    replace(lambda_svc, "invalidate_worker", invalidate)
    replace(lambda_svc, "_inbound_invoke_depth", depth)


class _Dispatch:
    """Where MiniStack chooses how to run a function: Python code runs here, all else as before."""

    def __init__(self, clock: SandboxClock, pool: Pool, before: Dispatch) -> None:
        self.clock = clock
        self.pool = pool
        self.before = before

    def __call__(
        self, function: dict[str, Any], config: dict[str, Any], event: Any, request_id: str, started: float
    ) -> dict[str, Any]:
        from ministack.services import lambda_svc

        code = function.get("code_zip")
        elsewhere = original(lambda_svc, "_proxy_url_for")(config)
        if not code or elsewhere or not str(config.get("Runtime", "")).startswith("python"):
            return self.before(function, config, event, request_id, started)
        depth = max(1, original(lambda_svc, "_invoke_depth").get())
        return self._execute(code, config, event, request_id_in_use.get() or request_id, depth)

    def _execute(
        self, code: bytes, config: dict[str, Any], event: Any, request_id: str, depth: int
    ) -> dict[str, Any]:
        def start() -> ExecutionEnvironment:
            stream = lambda_logs.stream_name(config, self.clock.time())
            return ExecutionEnvironment(config, code, stream)

        with self.pool.lease(_key(config), depth, start) as environment:
            outcome = environment.invoke(event, request_id, config["FunctionArn"], _trace_id(config, depth))
        texts = lambda_logs.lines(config, request_id, outcome)
        group = lambda_contents.log_group(config)
        lambda_logs.write(group, environment.log_stream, texts, self.clock.time())
        answer = {"log": "\n".join(texts), "duration_ms": outcome.duration_ms}
        if outcome.error:
            return {**answer, "body": outcome.error, "error": True, "function_error": "Unhandled"}
        return {**answer, "body": outcome.result}


def _key(config: dict[str, Any]) -> Key:
    settings = json.dumps([config.get(name) for name in SETTINGS], sort_keys=True, default=str)
    return Key(
        function=unqualified(config["FunctionArn"]),
        version=config["Version"],
        fingerprint=hashlib.sha256(settings.encode()).hexdigest(),
    )


def unqualified(function_arn: str) -> str:
    return ":".join(function_arn.split(":")[:7])


def _trace_id(config: dict[str, Any], depth: int) -> str:
    """What boto3 inside a handler sends along with every call, so that a nested call knows its depth.

    AWS detects recursive loops the same way; the form is that of X-Ray's tracing header.
    """
    traced = (config.get("TracingConfig") or {}).get("Mode") == "Active"
    digest = hashlib.sha256(config["FunctionArn"].encode()).hexdigest()[:8]
    root = uuid.uuid4().hex
    parent = uuid.uuid4().hex[:16]
    return f"Root=1-{root[:8]}-{root[8:]};Parent={parent};Sampled={int(traced)};Lineage=1:{digest}:{depth}"
