"""startExecution.sync: the parent looks for the child's end often, and takes the child along when it ends early."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.emulator.step_functions import clients
from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import replace

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1


def install() -> None:
    callback = asl("component.state.exec.state_task.service.state_task_service_callback")
    nested = asl("component.state.exec.state_task.service.state_task_service_sfn").StateTaskServiceSfn

    def stop_child_too(before: Callable[..., None]) -> Callable[..., None]:
        """A parent that is stopped or times out stops the execution that it waits for."""

        def wait(
            self: Any,
            env: Any,
            resource_runtime_part: Any,
            normalised_parameters: dict[str, Any],
            state_credentials: Any,
        ) -> None:
            waits_for_child = str(self.resource.condition).startswith("sync")
            child = env.stack[-1].get("ExecutionArn") if waits_for_child else None
            try:
                before(self, env, resource_runtime_part, normalised_parameters, state_credentials)
            finally:
                if child is not None and not env.is_running():
                    _stop(child, resource_runtime_part.region, state_credentials.role_arn)

        return wait

    replace(callback, "_DELAY_SECONDS_SYNC_CONDITION_CHECK", lambda _before: POLL_SECONDS)
    replace(nested, "_eval_integration_pattern", stop_child_too)


def _stop(execution_arn: str, region: str, role_arn: str) -> None:
    try:
        clients.client(region, "stepfunctions", role_arn).stop_execution(executionArn=execution_arn)
    except ClientError as refused:
        # It has ended by itself, or the role lacks states:StopExecution, as may be on AWS.
        logger.info("nested execution %s was not stopped: %s", execution_arn, refused)
