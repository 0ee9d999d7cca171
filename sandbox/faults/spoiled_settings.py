"""A setting that nobody checked."""

from __future__ import annotations

import json
from typing import Any

from sandbox.faults.parameters import read, settings_parameter
from sandbox.server import SandboxError, Server
from sandbox.workload import stack_name


def look(server: Server, environment: str) -> dict[str, Any]:
    value = read(server, settings_parameter(environment))
    if value is None:
        raise SandboxError(f"{stack_name(environment)} is not deployed")
    return {"value": value}


def spoil(server: Server, environment: str, before: dict[str, Any]) -> None:
    settings = {**json.loads(before["value"]), "cache_ttl_seconds": "1h"}
    _write_settings(server, environment, json.dumps(settings))


def restore(server: Server, environment: str, before: dict[str, Any]) -> None:
    if read(server, settings_parameter(environment)) != before["value"]:
        _write_settings(server, environment, before["value"])


def _write_settings(server: Server, environment: str, value: str) -> None:
    server.client("ssm").put_parameter(
        Name=settings_parameter(environment), Type="String", Value=value, Overwrite=True
    )
