"""IAM is asked about versions and aliases of state machines as on AWS: by the ARN of the state machine.

MiniStack looks at `stateMachineArn` alone. Source: Developer Guide, "Authorization for versions and aliases".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import replace

PARTS = 7  # of an unqualified ARN: arn:aws:states:<region>:<account>:stateMachine:<name>


def install(_clock: SandboxClock) -> None:
    from ministack.core import iam_actions

    def located(before: Callable[..., str]) -> Callable[..., str]:
        def resource(service: str, *request: Any) -> str:
            found = before(service, *request)
            if service != "states":
                return found
            _method, _path, _headers, body, *_ = request
            return named(body) or found

        return resource

    replace(iam_actions, "extract_resource_arn", located)


def named(body: bytes) -> str | None:
    """The state machine that a request means by an ARN of it, of a version or of an alias."""
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return None
    arns = (asked.get(key) for key in ("stateMachineArn", "stateMachineAliasArn", "stateMachineVersionArn"))
    found = next((str(arn) for arn in arns if arn), None)
    return ":".join(found.split(":")[:PARTS]) if found else None
