"""The product's AWS, pointed at the sandbox without a word in the environment."""

from __future__ import annotations

from typing import Any

from sandbox.server import Server
from selfright.adapters.aws import Aws


class LocalAws(Aws):
    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self._made: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._made:
            self._made[service] = self._server.client(service)
        return self._made[service]
