"""Unit tests see no network, and no AWS account either."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

# Read when the edge is imported, as in Lambda.
os.environ["POWERTOOLS_SERVICE_NAME"] = "selfright"
os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "Selfright"
os.environ["POWERTOOLS_DEV"] = "false"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection but to this machine; moto answers before a connection would be made."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX or str(address[0]) in {"127.0.0.1", "::1", "localhost"}:
            return connect(self, address)
        raise AssertionError(f"a unit test wants to connect to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
