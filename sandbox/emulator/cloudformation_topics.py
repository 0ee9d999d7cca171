"""A topic that a stack makes has the default policy of any other: it lets its own account in, by AWS:SourceOwner.

MiniStack leaves that condition out, and then every role of the account may publish without a permission of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import original

Create = Callable[..., tuple[str, dict[str, Any]]]


def install(_clock: SandboxClock) -> None:
    from ministack.services import sns
    from ministack.services.cloudformation import provisioners

    handlers = original(provisioners, "_RESOURCE_HANDLERS")["AWS::SNS::Topic"]
    create: Create = handlers["create"]

    def with_condition(*resource: Any) -> tuple[str, dict[str, Any]]:
        arn, attributes = create(*resource)
        topic = original(sns, "_topics")[arn]["attributes"]
        policy = json.loads(topic["Policy"])
        for statement in policy["Statement"]:
            statement.setdefault("Condition", {"StringEquals": {"AWS:SourceOwner": topic["Owner"]}})
        topic["Policy"] = json.dumps(policy)
        return arn, attributes

    handlers["create"] = with_condition
