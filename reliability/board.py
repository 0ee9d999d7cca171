"""The fault board of the local AWS: arm one fault, read who called what."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.server import Server


@dataclass(frozen=True)
class Fault:
    """See sandbox/emulator/faults.py."""

    caller: str
    action: str
    resource: str
    nth: int
    mode: str
    times: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Call:
    """One request: whose, for what, the SDK's how manieth try, and how it was answered."""

    caller: str
    invocation: str
    action: str
    resource: str
    nth: int
    attempt: int
    at: float
    request: str
    status: int
    struck: str

    @property
    def carried_out(self) -> bool:
        """The service did it, whether or not the caller could see the answer."""
        return 200 <= self.status < 300 and self.struck not in {"fail", "throttle", "kill-before"}  # noqa: PLR2004


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
