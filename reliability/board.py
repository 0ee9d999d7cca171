"""The fault board of the local AWS: arm one fault, read who called what."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import asdict
from typing import Any

from sandbox.emulator.faults import Call, Fault
from sandbox.server import Server


class FaultBoard:
    def __init__(self, server: Server) -> None:
        self._url = f"{server.endpoint}/_selfright/faults"

    def arm(self, fault: Fault) -> None:
        """From now on, with a new record."""
        self._ask("PUT", asdict(fault))

    def clear(self) -> None:
        """No fault any more, and a new record."""
        self._ask("DELETE")

    def calls(self) -> list[Call]:
        return [Call(**call) for call in self._ask("GET")["calls"]]

    def _ask(self, method: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url, data, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - this machine's own emulator
            found: dict[str, Any] = json.loads(answer.read())
        return found
