"""GET /_selfright/people: Slack, PagerDuty and a webhook, played for as long as the local AWS runs, and what they took.

They answer from the first request on: {"secrets": what Secrets Manager has to hold for notices to come here, by
service; "told": [{"service", "body"}], oldest first}.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.events_admin import Response, Route
from sandbox.emulator.wrapping import replace

if TYPE_CHECKING:
    from sandbox.collector import Collector

PATH = "/_selfright/people"


@cache
def _collector() -> Collector:
    from sandbox.collector import Collector  # pydantic is a third of a second that few sandboxes need

    return Collector().__enter__()  # until the process ends


def install(_clock: SandboxClock) -> None:
    from ministack import app

    def route(before: Route) -> Route:
        async def handle(path: str, method: str, body: bytes) -> Response | None:
            if path != PATH or method != "GET":
                return await before(path, method, body)
            people = _collector()
            told = [{"service": service, "body": what} for service, what in people.all_taken()]
            text = json.dumps({"secrets": people.secrets(), "told": told})
            return 200, {"Content-Type": "application/json"}, text.encode()

        return handle

    replace(app, "_handle_admin_config_request", route)
