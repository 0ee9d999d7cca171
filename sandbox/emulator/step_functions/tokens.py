"""Task tokens: .waitForTaskToken with SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat.

A token answers once. Each attempt of a retried task has a token of its own. A token whose task is over is refused
with TaskTimedOut; one that never was a token with InvalidToken.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import stepfunctions

from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import original, replace

Request = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

callbacks = asl("eval.callback.callback")

_waiting: dict[str, Any] = {}  # token -> endpoint of the task that waits for it
_answering = threading.Lock()


def _close(token: str) -> None:
    """From now on the token is refused."""
    _waiting.pop(token, None)


def close_all(env: Any) -> None:
    """Refuse every token of an execution and let the threads go that still wait for one."""
    for endpoint in list(env.callback_pool_manager._pool.values()):
        endpoint.interrupt_all()


def _refusal(token: Any) -> Response:
    try:
        uuid.UUID(str(token))
    except ValueError:
        return _error("InvalidToken", "Invalid Token: 'Invalid token'")
    return _error("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


def _error(code: str, message: str) -> Response:
    answer: Response = error_response_json(code, message, 400)
    return answer


def _done() -> Response:
    answer: Response = json_response({})
    return answer


def _answer(data: Request, outcome: Any) -> Response:
    with _answering:
        endpoint = _waiting.get(data.get("taskToken", ""))
        if endpoint is None or endpoint.get_outcome() is not None:
            return _refusal(data.get("taskToken"))
        endpoint.notify(outcome=outcome)
    return _done()


def succeed(data: Request) -> Response:
    try:
        json.loads(data.get("output", ""))
    except ValueError:
        return _error("InvalidOutput", "Invalid Output: 'The provided JSON output data is not valid.'")
    token = data.get("taskToken")
    return _answer(data, callbacks.CallbackOutcomeSuccess(callback_id=token, output=data["output"]))


def fail(data: Request) -> Response:
    return _answer(
        data,
        callbacks.CallbackOutcomeFailure(
            callback_id=data.get("taskToken"), error=data.get("error"), cause=data.get("cause")
        ),
    )


def beat(data: Request) -> Response:
    endpoint = _waiting.get(data.get("taskToken", ""))
    if endpoint is None or endpoint.get_outcome() is not None:
        return _refusal(data.get("taskToken"))
    # Without HeartbeatSeconds, or while the task's own call still runs, nobody counts beats: they are fine.
    endpoint.notify_heartbeat()
    return _done()


def _registered(before: Callable[..., Any]) -> Callable[..., Any]:
    def add(self: Any, callback_id: str) -> Any:
        endpoint = _waiting[callback_id] = before(self, callback_id)
        return endpoint

    return add


def _forgotten(before: Callable[..., None]) -> Callable[..., None]:
    def interrupt_all(self: Any) -> None:
        _close(self.callback_id)
        before(self)

    return interrupt_all


def _heard(before: Callable[..., Any]) -> Callable[..., Any]:
    """An answer that came before the heartbeat was set up must still wake the task."""

    def setup_heartbeat_endpoint(self: Any, heartbeat_seconds: float) -> Any:
        heartbeat = before(self, heartbeat_seconds)
        if self.get_outcome() is not None:
            heartbeat.notify()
        return heartbeat

    return setup_heartbeat_endpoint


def _with_new_token(before: Callable[..., None]) -> Callable[[Any, Any], None]:
    """The interpreter would hand the second attempt the first one's token, and with it the old answer."""

    def attempt(self: Any, env: Any) -> None:
        context = env.states.context_object.context_object_data
        if "Task" in context and context["State"]["RetryCount"]:
            _close(context["Task"]["Token"])
            env.callback_pool_manager.add(env.states.context_object.update_task_token())
        before(self, env)

    return attempt


def install() -> None:
    original(callbacks.CallbackPoolManager({}), "_pool")
    replace(callbacks.CallbackPoolManager, "add", _registered)
    replace(callbacks.CallbackEndpoint, "interrupt_all", _forgotten)
    replace(callbacks.CallbackEndpoint, "setup_heartbeat_endpoint", _heard)
    task = asl("component.state.exec.state_task.service.state_task_service_callback").StateTaskServiceCallback
    replace(task, "_evaluate_with_timeout", _with_new_token)
    replace(stepfunctions, "_send_task_success", lambda _before: succeed)
    replace(stepfunctions, "_send_task_failure", lambda _before: fail)
    replace(stepfunctions, "_send_task_heartbeat", lambda _before: beat)
