"""IAM is asked about AppConfig as on AWS: reading a configuration needs a permission, deploying one needs several.

The two calls of the data plane need theirs on the configuration; StartDeployment needs it on environment, profile and
strategy. MiniStack asks for none and for the environment's. Source: Service Authorization Reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import original, replace

SERVICE = "appconfig"  # the data plane signs so, too
START, READ = ("POST", "/configurationsessions"), ("GET", "/configuration")
ACTIONS = {START: "appconfig:StartConfigurationSession", READ: "appconfig:GetLatestConfiguration"}
SESSION = ("ApplicationIdentifier", "EnvironmentIdentifier", "ConfigurationProfileIdentifier")

# What else the request under way needs its permission on.
_besides: ContextVar[tuple[str, ...]] = ContextVar("besides", default=())


def install(_clock: SandboxClock) -> None:
    from ministack.core import iam_actions, iam_evaluator

    replace(iam_actions, "extract_iam_action", _named)
    replace(iam_actions, "extract_resource_arn", _located)
    replace(iam_evaluator, "enforce", _on_all)


def _named(before: Callable[..., str | None]) -> Callable[..., str | None]:
    def action(service: str, method: str, path: str, *request: Any) -> str | None:
        reading = ACTIONS.get((method, path)) if service == SERVICE else None
        return reading or before(service, method, path, *request)

    return action


def _located(before: Callable[..., str]) -> Callable[..., str]:
    def resource(service: str, method: str, path: str, *request: Any) -> str:
        _besides.set(())
        found = before(service, method, path, *request)
        if service != SERVICE:
            return found
        _headers, body, parameters, region, account = request
        prefix = f"arn:aws:appconfig:{region}:{account}:"
        if (method, path) in ACTIONS:
            return prefix + _configuration(method, body, parameters)
        if method == "POST" and path.endswith("/deployments"):
            _besides.set(tuple(prefix + other for other in _deployed(path, body)))
        return found

    return resource


def _on_all(before: Callable[..., Any]) -> Callable[..., Any]:
    def enforce(*request: Any, resource_arn: str = "*", **more: Any) -> Any:
        denied = before(*request, resource_arn=resource_arn, **more)
        for other in _besides.get():
            denied = denied or before(*request, resource_arn=other, **more)
        return denied

    return enforce


def _configuration(method: str, body: bytes, parameters: dict[str, Any]) -> str:
    """The configuration that a session is asked for, or has."""
    from ministack.services import appconfig

    if method == "GET":
        token = parameters.get("configuration_token", "")
        session = original(appconfig, "_sessions").get(token[0] if isinstance(token, list) else token) or {}
        application, environment, profile = (session.get(name) for name in SESSION)
    else:
        asked = json.loads(body)
        application = original(appconfig, "_resolve_application_id")(asked.get(SESSION[0]))
        environment = original(appconfig, "_resolve_environment_id")(application, asked.get(SESSION[1]))
        profile = original(appconfig, "_resolve_configuration_profile_id")(application, asked.get(SESSION[2]))
    return f"application/{application}/environment/{environment}/configuration/{profile}"


def _deployed(path: str, body: bytes) -> tuple[str, ...]:
    """The profile and the strategy of a deployment."""
    application, asked = path.strip("/").split("/")[1], json.loads(body)
    return (
        f"application/{application}/configurationprofile/{asked.get('ConfigurationProfileId')}",
        f"deploymentstrategy/{asked.get('DeploymentStrategyId')}",
    )
