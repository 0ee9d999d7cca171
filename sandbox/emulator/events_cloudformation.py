"""CloudFormation tells EventBridge about every change of a stack's status, as AWS does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.events_internal import put_aws_event
from sandbox.emulator.wrapping import original, replace

STACK = "AWS::CloudFormation::Stack"


def install(clock: SandboxClock) -> None:
    from ministack.services.cloudformation import changesets, handlers, stacks

    def announced(before: Callable[..., None]) -> Callable[..., None]:
        def add_event(stack_id: str, stack_name: str, logical_id: str, *event: Any, **named: Any) -> None:
            before(stack_id, stack_name, logical_id, *event, **named)
            resource_type, status, reason = (*event, named.get("reason", ""))[:3]
            if resource_type != STACK or logical_id != stack_name:  # a nested stack is a resource here
                return
            token = original(stacks, "CLIENT_REQUEST_TOKEN").get()
            put_aws_event(
                source="aws.cloudformation",
                detail_type="CloudFormation Stack Status Change",
                detail={
                    "stack-id": stack_id,
                    "status-details": {"status": status, "status-reason": reason},
                    "client-request-token": token,
                },
                resources=[stack_id],
                at=clock.time(),
            )

        return add_event

    for module in (stacks, changesets, handlers):  # each holds the function under a name of its own
        replace(module, "_add_event", announced)
