"""Which error a failed state reports, and which Retry and Catch entries match it.

States.ALL does not match States.Runtime and States.DataLimitExceeded; a missed heartbeat matches both
States.Timeout and States.HeartbeatTimeout; a refused call of a plain Lambda ARN is named after its error; a branch or
iteration that fails with one of AWS's own errors fails its Parallel or Map by that name.
Source: the "Error names" table of the Step Functions developer guide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import original, replace

NOT_ALL = frozenset({"States.Runtime", "States.DataLimitExceeded"})
TASKS = "component.state.exec.state_task"
# What fails in these fails their Parallel, Map or Task by the same name, AWS's own names included.
PASS_ERRORS_ON = (
    "component.state.exec.state_parallel.branches_decl",
    "component.state.exec.state_map.iteration.iteration_worker",
    f"{TASKS}.service.state_task_service_callback",
)

events = asl("component.common.error_name.failure_event")
callbacks = asl("eval.callback.callback")
lambda_invoke = asl(f"{TASKS}.service.state_task_service_lambda").StateTaskServiceLambda


def error_named(error_name: str | None) -> Any:
    """The interpreter's error of that name; names of AWS's own errors have a type of their own."""
    if error_name is not None and error_name.startswith("States."):
        return asl("component.common.error_name.states_error_name").StatesErrorName.from_name(error_name)
    return asl("component.common.error_name.custom_error_name").CustomErrorName(error_name)


def failed(env: Any, event_type: str, error: str, cause: str) -> Any:
    """The failure of a state as the interpreter passes it on, with the history event that records it."""
    details = {f"{event_type[0].lower()}{event_type[1:]}EventDetails": {"error": error, "cause": cause}}
    return events.FailureEvent(
        env=env, error_name=error_named(error), event_type=event_type, event_details=details
    )


def _matches(before: Callable[..., None]) -> Callable[[Any, Any], None]:
    def evaluate(self: Any, env: Any) -> None:
        error = env.stack[-1]
        wanted = {name.error_name for name in self.error_names}
        if "States.ALL" in wanted and getattr(error, "error_name", None) in NOT_ALL:
            env.stack[-1] = False
        elif "States.HeartbeatTimeout" in wanted and getattr(error, "missed_heartbeat", False):
            env.stack[-1] = True
        else:
            before(self, env)

    return evaluate


def _marked_heartbeat(before: Callable[..., Any]) -> Callable[..., Any]:
    """AWS records a missed heartbeat as States.Timeout, so the name alone does not tell."""

    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        event = before(self, env, ex)
        if isinstance(ex, callbacks.HeartbeatTimeoutError):
            event.error_name.missed_heartbeat = True
        return event

    return from_error


def _refused_lambda(before: Callable[..., Any]) -> Callable[..., Any]:
    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        if not isinstance(ex, ClientError):
            return before(self, env, ex)
        error, cause = original(lambda_invoke, "_error_cause_from_client_error")(ex)
        return failed(env, "LambdaFunctionFailed", error, cause)

    return from_error


def install() -> None:
    original(callbacks, "HeartbeatTimeoutError")
    original(lambda_invoke, "_error_cause_from_client_error")
    for passes_on in PASS_ERRORS_ON:
        replace(asl(passes_on), "CustomErrorName", lambda _before: error_named)
    task = asl(f"{TASKS}.service.state_task_service_callback").StateTaskServiceCallback
    replace(task, "_from_error", _marked_heartbeat)
    replace(asl(f"{TASKS}.state_task_lambda").StateTaskLambda, "_from_error", _refused_lambda)
    replace(asl("component.common.error_name.error_equals_decl").ErrorEqualsDecl, "_eval_body", _matches)
