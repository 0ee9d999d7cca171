"""IAM is asked for the action and resource that AWS asks for, where MiniStack asks for others.

Bedrock's Converse needs bedrock:InvokeModel (there is no action of its own name), and Athena's calls that name a
query need a permission on the query's workgroup. Source: Service Authorization Reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import original, replace

ACTIONS_ON_AWS = {
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
}


def install(_clock: SandboxClock) -> None:
    from ministack.core import iam_actions

    def as_on_aws(before: Callable[..., str | None]) -> Callable[..., str | None]:
        def action(*request: Any) -> str | None:
            found = before(*request)
            return ACTIONS_ON_AWS.get(found, found) if found else found

        return action

    def of_the_workgroup(before: Callable[..., str]) -> Callable[..., str]:
        def resource(service: str, *request: Any) -> str:
            found = before(service, *request)
            *_, body, _parameters, region, account = request
            workgroup = _workgroup_of_query(body) if service == "athena" and found == "*" else None
            return f"arn:aws:athena:{region}:{account}:workgroup/{workgroup}" if workgroup else found

        return resource

    replace(iam_actions, "extract_iam_action", as_on_aws)
    replace(iam_actions, "extract_resource_arn", of_the_workgroup)


def _workgroup_of_query(body: bytes) -> str | None:
    from ministack.services import athena

    try:
        query = json.loads(body)["QueryExecutionId"]
    except (ValueError, KeyError, TypeError):
        return None
    execution = original(athena, "_executions").get(query)
    return execution["WorkGroup"] if execution else None
