"""EventBridge targets: retry policy and dead-letter queue for Lambda, Step Functions, SQS and SNS; Logs targets.

Lambda targets are invoked asynchronously, so a handler that raises is retried by Lambda, not by EventBridge. A
CloudWatch Logs target gets one log stream per event, as on AWS.
"""

from __future__ import annotations

import contextvars
import functools
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.emulator import events_targets as targets
from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.events_dead_letters import NoSuchQueueError, send_to_queue
from sandbox.emulator.events_retry import DeliveryError, GivenUp, RetryPolicy, deliver
from sandbox.emulator.wrapping import original, replace

log = logging.getLogger("sandbox.events_delivery")

Send = Callable[[], None]


@dataclass(frozen=True)
class Delivery:
    """One event for one target of one rule. `body` is the event as it came, for the dead-letter queue."""

    target: dict[str, Any]
    rule: dict[str, Any]
    body: str


_current: contextvars.ContextVar[Delivery] = contextvars.ContextVar("events_delivery")


def install(clock: SandboxClock) -> None:
    from ministack.services import eventbridge

    attempt = _Attempts(clock)

    def invoke_target(before: Callable[..., None]) -> Callable[..., None]:
        def invoke(
            target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
        ) -> None:
            view = view or original(eventbridge, "_pattern_event_view")(event)
            body = json.dumps(view.event_with_detail())
            token = _current.set(Delivery(target, rule, body))
            try:
                if ":logs:" in target.get("Arn", ""):
                    attempt(lambda: targets.to_log_group(target["Arn"], body, clock.time()))
                else:
                    before(target, event, rule, view)
            finally:
                _current.reset(token)

        return invoke

    def simple(send: Callable[[str, str], None]) -> Callable[[Any], Callable[[str, str], None]]:
        return lambda _before: lambda arn, payload: attempt(lambda: send(arn, payload))

    def queue(before: Callable[..., None]) -> Callable[..., None]:
        def dispatch(spec: Any, payload: str, parameters: dict[str, Any] | None = None) -> None:
            rule = _current.get().rule["Arn"]
            put = functools.partial(before, spec, payload, parameters)
            attempt(lambda: targets.to_sqs(str(spec), rule, parameters or {}, put))

        return dispatch

    replace(eventbridge, "_invoke_target", invoke_target)
    replace(eventbridge, "_dispatch_to_lambda", simple(targets.to_lambda))
    replace(eventbridge, "_dispatch_to_stepfunctions", simple(targets.to_step_functions))
    replace(eventbridge, "_dispatch_to_sns", simple(targets.to_sns))
    replace(eventbridge, "_dispatch_to_sqs", queue)


class _Attempts:
    """Makes the first attempt at once; what can be tried again is tried again in the background."""

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock

    def __call__(self, send: Send) -> None:
        delivery, began = _current.get(), self.clock.time()
        try:
            _send(send)
        except DeliveryError as error:
            finish = _Finish(self.clock, delivery, send, error, began)
            if not error.retriable:
                finish()
                return
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(finish,), daemon=True).start()


class _Finish:
    """All attempts after the first, then the dead-letter queue."""

    def __init__(
        self, clock: SandboxClock, delivery: Delivery, send: Send, error: DeliveryError, began: float
    ) -> None:
        self.clock = clock
        self.delivery = delivery
        self.send = send
        self.error = error
        self.began = began

    def __call__(self) -> None:
        given_up = deliver(
            lambda: _send(self.send),
            RetryPolicy.of(self.delivery.target),
            now=self.clock.time,
            sleep=lambda seconds: time.sleep(self.clock.wall_seconds(seconds)),
            first_error=self.error,
            began=self.began,
        )
        if given_up:
            self._dead_letter(given_up)

    def _dead_letter(self, given_up: GivenUp) -> None:
        rule, target = self.delivery.rule["Arn"], self.delivery.target
        log.warning("%s gave up on %s: %s %s", rule, target["Arn"], given_up.code, given_up.message)
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return
        attributes: dict[str, str | int] = {
            "RULE_ARN": rule,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": given_up.code,
            "ERROR_MESSAGE": given_up.message,
            "RETRY_ATTEMPTS": given_up.retries,
        }
        if given_up.exhausted:
            attributes["EXHAUSTED_RETRY_CONDITION"] = given_up.exhausted
        try:
            targets.require_permission(queue, rule)
            send_to_queue(queue, self.delivery.body, attributes)
        except (NoSuchQueueError, DeliveryError) as error:
            log.warning("dead-letter queue %s of %s takes nothing: %s", queue, rule, error)


def _send(send: Send) -> None:
    """Whatever a service of the emulator raises unexpectedly is AWS's own trouble: worth another try."""
    try:
        send()
    except DeliveryError:
        raise
    except Exception as error:
        raise DeliveryError("INTERNAL_ERROR", str(error), retriable=True) from error
