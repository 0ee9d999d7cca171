"""DELETE /_selfright/iam-calls tells which calls IAM granted to roles since it was asked last, and forgets them.

AWS keeps the like in CloudTrail, and IAM Access Analyzer works out from it which permissions are used. The answer is
JSON: {"role", "action", "resource"} of every call that differs in one of them, role by name. Nothing is kept where
IAM is not enforced.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.events_admin import Response, Route
from sandbox.emulator.wrapping import replace

PATH = "/_selfright/iam-calls"


def install(_clock: SandboxClock) -> None:
    from ministack import app
    from ministack.core import iam_evaluator

    granted: set[tuple[str, str, str]] = set()
    lock = threading.Lock()

    def remember(before: Callable[..., Any]) -> Callable[..., Any]:
        def evaluate(asked: Any, *policies: Any) -> Any:
            result = before(asked, *policies)
            if result.decision == "Allow" and asked.principal_type == "AssumedRole":
                role = asked.principal_arn.split("/")[1]
                with lock:
                    granted.add((role, asked.action, asked.resource_arn))
            return result

        return evaluate

    def route(before: Route) -> Route:
        async def handle(path: str, method: str, body: bytes) -> Response | None:
            if path != PATH:
                return await before(path, method, body)
            if method != "DELETE":
                return 405, {"Content-Type": "application/json"}, b'{"error": "takes DELETE"}'
            with lock:
                told = sorted(granted)
                granted.clear()
            document = [dict(zip(("role", "action", "resource"), call, strict=True)) for call in told]
            return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()

        return handle

    replace(iam_evaluator, "evaluate", remember)
    replace(app, "_handle_admin_config_request", route)
