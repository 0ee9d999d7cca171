"""The program inside a Lambda execution environment: import the handler once, then answer invocations.

Started by lambda_environment.py as its own process, without site-packages and without this repository on the
path, so it uses the standard library only. Argument 1 is the descriptor of a socket to the emulator; every
message on it is one line of JSON. First comes `{"handler", "path"}`, the path as pairs of a folder and its name
on AWS, answered by `{"ready": true}` or
`{"error": ...}`; then per invocation `{"event", "request_id", "function_arn", "deadline_ms", "trace_id"}`,
answered by `{"result"}` or `{"error"}`. Every answer tells `peak_bytes`, the most memory held so far.

Standard output and error belong to the handler: the emulator reads them as log lines.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import resource
import socket
import sys
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace, TracebackType
from typing import Any

_STATUS = "/proc/self/status"
# Seconds of the wall: a handler's longer socket timeouts are cut to it. A read timeout of 10 s is a wait, and waits are
# scaled (docs/decisions/0003); set where answers are delayed on purpose.
PATIENCE = "SELFRIGHT_SANDBOX_PATIENCE"

Handler = Callable[[Any, "Context"], Any]

names_on_aws: dict[str, str] = {}  # of the folders from which the handler imports, for stack traces


class Context:
    """What AWS hands to a Python handler beside the event."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.aws_request_id: str = request["request_id"]
        self.invoked_function_arn: str = request["function_arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]  # a string on AWS too
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = None
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline_ms: float = request["deadline_ms"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(self._deadline_ms - time.time() * 1000))


class RuntimeRefusalError(Exception):
    """The runtime itself refuses: no such handler, no such module, no JSON. Carries AWS's error type."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class RequestLog(logging.StreamHandler[Any]):
    """The root logger's handler of the Python runtime: level, time, request id, message, tab-separated."""

    request_id = ""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return (
            f"[{record.levelname}]\t{moment}.{int(record.msecs):03d}Z\t{self.request_id}\t"
            f"{super().format(record)}"
        )


def main() -> None:
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    with socket.socket(fileno=descriptor) as link, link.makefile("rwb") as lines:
        log = RequestLog(sys.stdout)
        logging.getLogger().addHandler(log)
        start = json.loads(lines.readline())
        if patience := os.environ.pop(PATIENCE, ""):
            _lose_patience(float(patience))
        names_on_aws.update(start["path"])
        sys.path[:0] = names_on_aws
        try:
            handler = load(start["handler"])
        except Exception as error:  # noqa: BLE001 - user code; whatever it raises is the answer
            _send(lines, encode({"error": describe(error, "")}))
            return
        _send(lines, encode({"ready": True}))
        while line := lines.readline():
            _send(lines, invoke(handler, json.loads(line), log))


def _lose_patience(seconds: float) -> None:
    before = socket.socket.settimeout

    def settimeout(this: socket.socket, value: float | None) -> None:
        before(this, value and min(value, seconds))

    socket.socket.settimeout = settimeout  # type: ignore[method-assign, assignment]


def load(name: str) -> Handler:
    """The function that `name` ("package/module.function") stands for.

    Raises RuntimeRefusalError as AWS names it, or whatever the module raises while it is imported.
    """
    module_name, _, function_name = name.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise RuntimeRefusalError(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        ) from error
    except SyntaxError as error:
        raise RuntimeRefusalError(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}"
        ) from error
    try:
        handler: Handler = getattr(module, function_name)
    except AttributeError:
        raise RuntimeRefusalError(
            "Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        ) from None
    return handler


def invoke(handler: Handler, request: dict[str, Any], log: RequestLog) -> bytes:
    """Run the handler once; the line to answer. SystemExit passes: it ends the environment, as on AWS."""
    request_id = log.request_id = request["request_id"]
    os.environ["_X_AMZN_TRACE_ID"] = request["trace_id"]
    try:
        result = handler(request["event"], Context(request))
    except Exception as error:  # noqa: BLE001 - user code; whatever it raises is the answer
        return encode({"error": describe(error, request_id)})
    try:
        return encode({"result": result})
    except (TypeError, ValueError) as error:
        refused = RuntimeRefusalError("Runtime.MarshalError", f"Unable to marshal response: {error}")
        return encode({"error": describe(refused, request_id)})


def encode(message: dict[str, Any]) -> bytes:
    """One line of JSON with the memory used so far. Raises TypeError or ValueError as the runtime would."""
    text = json.dumps({**message, "peak_bytes": peak_bytes()}, default=_decimal, allow_nan=False)
    return text.encode() + b"\n"


def _decimal(value: Any) -> int | float:
    """The one type beyond JSON that the Python runtime takes, since DynamoDB's resource API returns it."""
    from decimal import Decimal

    if not isinstance(value, Decimal):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    return int(value) if value == value.to_integral_value() else float(value)


def describe(error: Exception, request_id: str) -> dict[str, Any]:
    """The error document of the Python runtime; also written to the log, in one line, as AWS does."""
    error_type = error.error_type if isinstance(error, RuntimeRefusalError) else type(error).__name__
    stack = [] if isinstance(error, RuntimeRefusalError) else _stack(error.__traceback__)
    heading = f"[ERROR] {error_type}: {error}"
    trace = ["Traceback (most recent call last):", *"".join(stack).splitlines()] if stack else []
    print("\r".join([heading, *trace]))  # noqa: T201 - standard output is the log
    return {
        "errorMessage": str(error),
        "errorType": error_type,
        "requestId": request_id,
        "stackTrace": stack,
    }


def _stack(trace: TracebackType | None) -> list[str]:
    """The frames below the runtime's own, with file names as on AWS."""
    runtime = (__file__, importlib.__file__, "<frozen importlib")
    frames = [frame for frame in traceback.extract_tb(trace) if not frame.filename.startswith(runtime)]
    for frame in frames:
        folder = next((folder for folder in names_on_aws if frame.filename.startswith(f"{folder}/")), "")
        frame.filename = names_on_aws.get(folder, "") + frame.filename.removeprefix(folder)
    return traceback.format_list(frames)


def _send(lines: Any, line: bytes) -> None:
    """Answer, after everything the handler printed: whoever has the answer also has its whole log."""
    sys.stdout.flush()
    sys.stderr.flush()
    lines.write(line)
    lines.flush()


def peak_bytes() -> int:
    """The most memory this process ever held.

    Linux keeps it per program image as VmHWM; getrusage would also count the emulator that started us.
    """
    if os.path.exists(_STATUS):  # noqa: PTH110 - pathlib costs every cold start 10 ms
        with open(_STATUS) as status:  # noqa: PTH123
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
