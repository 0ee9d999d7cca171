"""People who look after a sandbox that stays: their Slack, pager and webhook are played by the local AWS itself."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from sandbox.server import SandboxError, Server
from selfright.domain.manifest import SecretChannel, Workload

PATH = "/_selfright/people"


def lead_here(server: Server, workload: Workload) -> None:
    """From now on all channels of the workload lead to the services that this sandbox plays."""
    secrets, known = _ask(server)["secrets"], server.client("secretsmanager")
    for way in workload.notifications.channels.values():
        if isinstance(way, SecretChannel):
            known.create_secret(Name=way.secret, SecretString=json.dumps(secrets[way.type]))


def told(server: Server) -> list[dict[str, Any]]:
    """What they took: {"service", "body"}, oldest first."""
    found: list[dict[str, Any]] = _ask(server)["told"]
    return found


def _ask(server: Server) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{server.endpoint}{PATH}", timeout=10) as answer:  # noqa: S310 - this machine's own emulator
            document: dict[str, Any] = json.loads(answer.read())
            return document
    except urllib.error.URLError as error:
        raise SandboxError(f"the sandbox does not tell what people were told: {error}") from error
