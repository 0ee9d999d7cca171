"""POST /_selfright/events puts an event of an AWS service on the default bus, for tests and the command line.

AWS has no such call: PutEvents refuses `aws.*` sources. The body is JSON: source, detail-type, detail, resources
and optionally time (ISO 8601; the sandbox clock's now where it is absent), account and region; or a list of such.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.events_internal import put_aws_event
from sandbox.emulator.wrapping import replace

PATH = "/_selfright/events"

Response = tuple[int, dict[str, str], bytes]
Route = Callable[[str, str, bytes], Awaitable[Response | None]]


def install(clock: SandboxClock) -> None:
    from ministack import app

    def route(before: Route) -> Route:
        async def handle(path: str, method: str, body: bytes) -> Response | None:
            if path != PATH:
                return await before(path, method, body)
            if method != "POST":
                return _json(405, {"error": f"{PATH} takes POST"})
            try:
                events = parse(body, clock.time())
            except ValueError as error:
                return _json(400, {"error": str(error)})
            for event in events:
                put_aws_event(**event)
            return _json(200, {})

        return handle

    replace(app, "_handle_admin_config_request", route)


def parse(body: bytes, now: float) -> list[dict[str, Any]]:
    """The arguments of each put_aws_event. Raises ValueError naming the field that breaks a rule."""
    try:
        given = json.loads(body)
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from error
    return [_event(one, now) for one in (given if isinstance(given, list) else [given])]


def _event(given: Any, now: float) -> dict[str, Any]:
    fields: dict[str, type] = {"source": str, "detail-type": str, "detail": dict, "resources": list}
    if not isinstance(given, dict):
        raise ValueError("the body must be a JSON object, or a list of them")  # noqa: TRY004 - one error for every bad body
    for name, kind in fields.items():
        if not isinstance(given.get(name), kind):
            raise ValueError(f"{name}: must be given as {kind.__name__}")  # noqa: TRY004
    if not given["source"].startswith("aws."):
        raise ValueError("source: must begin with aws.; use PutEvents for others")
    at = now
    if "time" in given:
        moment = datetime.fromisoformat(str(given["time"]))
        if moment.tzinfo is None:
            raise ValueError("time: needs a time zone, e.g. 2026-11-23T10:00:00Z")
        at = moment.timestamp()
    return {
        "source": given["source"],
        "detail_type": given["detail-type"],
        "detail": given["detail"],
        "resources": given["resources"],
        "at": at,
        "account": given.get("account"),
        "region": given.get("region"),
    }


def _json(status: int, document: dict[str, Any]) -> Response:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()
