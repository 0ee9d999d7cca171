"""IAM is asked for the action and resource that AWS asks for, where MiniStack asks for others.

Bedrock's Converse needs bedrock:InvokeModel (there is no action of its own name), Athena's calls that name a query need
a permission on the query's workgroup, SSM's call by path one on the path, and each of Lambda's calls on one alias or
on a function's concurrency has an action of its own. Source: Service Authorization Reference. Requests never leave
this machine: all count as encrypted (aws:SecureTransport), else a bucket that wants TLS would take none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import original, replace

ACTIONS_ON_AWS = {
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
}

# Method and path below the function, with a name of the caller's as *.
LAMBDA_ACTIONS = {
    ("GET", "aliases/*"): "GetAlias",
    ("PUT", "aliases/*"): "UpdateAlias",
    ("DELETE", "aliases/*"): "DeleteAlias",
    ("GET", "concurrency"): "GetFunctionConcurrency",
    ("DELETE", "concurrency"): "DeleteFunctionConcurrency",
    ("GET", "provisioned-concurrency"): "GetProvisionedConcurrencyConfig",
}


def install(_clock: SandboxClock) -> None:
    from ministack.core import iam_actions, iam_evaluator

    def as_on_aws(before: Callable[..., str | None]) -> Callable[..., str | None]:
        def action(*request: Any) -> str | None:
            found = before(*request)
            return ACTIONS_ON_AWS.get(found, found) if found else found

        return action

    def of_what_it_names(before: Callable[..., str]) -> Callable[..., str]:
        def resource(service: str, *request: Any) -> str:
            found = before(service, *request)
            *_, body, _parameters, region, account = request
            if service == "ssm" and found == "*" and (path := _named(body, "Path")):
                return f"arn:aws:ssm:{region}:{account}:parameter/{path.strip('/')}"
            workgroup = _workgroup_of_query(body) if service == "athena" and found == "*" else None
            return f"arn:aws:athena:{region}:{account}:workgroup/{workgroup}" if workgroup else found

        return resource

    def of_one_thing(before: Callable[..., str | None]) -> Callable[..., str | None]:
        return lambda method, path: lambda_action(method, path) or before(method, path)

    def of_a_request(before: Callable[..., Any]) -> Callable[..., Any]:
        def value(key: str, *asked: Any) -> Any:
            if key.lower() == "aws:securetransport":
                return "true"
            found = before(key, *asked)
            return role_of(found) if key.lower() == "aws:principalarn" and found else found

        return value

    replace(iam_actions, "_lambda_action", of_one_thing)
    replace(iam_actions, "extract_iam_action", as_on_aws)
    replace(iam_actions, "extract_resource_arn", of_what_it_names)
    replace(iam_evaluator, "_resolve_condition_key", of_a_request)


def role_of(principal: str) -> str:
    """aws:PrincipalArn names the role, not the session that somebody has with it."""
    found = re.fullmatch(r"(arn:[^:]+):sts::(\d+):assumed-role/([^/]+)/.*", principal)
    return f"{found[1]}:iam::{found[2]}:role/{found[3]}" if found else principal


def lambda_action(method: str, path: str) -> str | None:
    """The action that Lambda's request needs, where MiniStack takes another for it; without the service's prefix."""
    parts = [part for part in path.split("/") if part]
    if parts[-1:] == ["account-settings"]:
        return "GetAccountSettings"
    if "functions" not in parts:
        return None
    _function, *below = parts[parts.index("functions") + 1 :] or [""]
    return LAMBDA_ACTIONS.get((method, "/".join([*below[:1], *("*" for _ in below[1:])])))


def _named(body: bytes, name: str) -> str | None:
    """What a request calls so."""
    try:
        return str(json.loads(body)[name])
    except (ValueError, KeyError, TypeError):
        return None


def _workgroup_of_query(body: bytes) -> str | None:
    from ministack.services import athena

    query = _named(body, "QueryExecutionId")
    execution = original(athena, "_executions").get(query)
    return execution["WorkGroup"] if execution else None
