"""Lambda's asynchronous invocation: two retries, event age, destinations and dead-letter queue.

A failed event is tried again after one minute, then after two (sandbox time), or as often as the function's
event invoke config says. A throttled event comes back with growing pauses until it is too old; with a reserved
concurrency of zero it is given up at once. What is given up goes to the on-failure destination as a record of
the invocation, and to the dead-letter queue as it came.
"""

from __future__ import annotations

import contextvars
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.events_dead_letters import NoSuchQueueError, send_to_queue
from sandbox.emulator.lambda_aliases import LATEST, base_record, qualifier_of
from sandbox.emulator.lambda_execution import request_id_in_use
from sandbox.emulator.wrapping import original, replace

RETRIES = 2
MAX_AGE = 6 * 3600.0  # seconds
RETRY_AFTER = 60.0  # seconds, times the number of failures so far
LONGEST_PAUSE = 300.0  # seconds between attempts of a throttled event
FAILURE, SUCCESS = "OnFailure", "OnSuccess"

log = logging.getLogger("sandbox.lambda_async")


@dataclass
class Retries:
    """When an event may be tried again. Times in seconds of the sandbox clock."""

    queued_at: float
    retries: int = RETRIES
    max_age: float = MAX_AGE
    failures: int = field(default=0, init=False)
    throttles: int = field(default=0, init=False)

    def pause(self, *, throttled: bool, now: float) -> float | str:
        """Seconds until the next attempt, or the condition under which AWS gives the event up."""
        if throttled:
            self.throttles += 1
            pause = min(2.0 ** (self.throttles - 1), LONGEST_PAUSE)
        else:
            self.failures += 1
            pause = RETRY_AFTER * self.failures
            if self.failures > self.retries:
                return "RetriesExhausted"
        return "EventAgeExceeded" if now + pause - self.queued_at > self.max_age else pause


def install(clock: SandboxClock) -> None:
    from ministack.services import lambda_svc

    def invoke_async(_before: Callable[..., None]) -> Callable[..., None]:
        def invoke(function: dict[str, Any], event: Any) -> None:
            config = function.get("config") or function
            scope = original(lambda_svc, "_account_region_from_function_config")(config)
            delivery = _Delivery(clock, function, config, event)
            context = contextvars.copy_context()
            thread = threading.Thread(target=context.run, args=(_in_scope, scope, delivery.run), daemon=True)
            thread.start()

        return invoke

    replace(lambda_svc, "invoke_async_with_retry", invoke_async)


def _in_scope(scope: tuple[str, str], run: Callable[[], None]) -> None:
    from ministack.core import responses

    with responses.request_scope(*scope):
        try:
            run()
        except Exception:
            log.exception("an asynchronous invocation broke off")


class _Delivery:
    """One event on its way through a function."""

    def __init__(
        self, clock: SandboxClock, function: dict[str, Any], config: dict[str, Any], event: Any
    ) -> None:
        self.clock = clock
        self.function = function
        self.config = config
        self.event = event
        self.request_id = str(uuid.uuid4())
        self.settings = _event_invoke_config(config)
        self.attempts = 0

    def run(self) -> None:
        from ministack.services import lambda_svc

        request_id_in_use.set(self.request_id)
        retries = Retries(
            queued_at=self.clock.time(),
            retries=int(self.settings.get("MaximumRetryAttempts", RETRIES)),
            max_age=float(self.settings.get("MaximumEventAgeInSeconds", MAX_AGE)),
        )
        while True:
            result = original(lambda_svc, "_execute_function")(self.function, self.event)
            throttled = bool(result.get("throttle"))
            self.attempts += not throttled
            if not result.get("error"):
                self._send_record(SUCCESS, "Success", result)
                return
            if throttled and self._switched_off():
                pause: float | str = "RetriesExhausted"
            else:
                pause = retries.pause(throttled=throttled, now=self.clock.time())
            if isinstance(pause, str):
                self._send_record(FAILURE, pause, result)
                self._dead_letter(result)
                return
            time.sleep(self.clock.wall_seconds(pause))

    def _switched_off(self) -> bool:
        return (base_record(self.config) or {}).get("concurrency") == 0

    def _send_record(self, outcome: str, condition: str, result: dict[str, Any]) -> None:
        target = ((self.settings.get("DestinationConfig") or {}).get(outcome) or {}).get("Destination")
        if not target:
            return
        moment = datetime.fromtimestamp(self.clock.time(), UTC).isoformat(timespec="milliseconds")
        arn = self.config["FunctionArn"]
        response = {"statusCode": 200, "executedVersion": self.config["Version"]}
        if outcome == FAILURE:
            response["functionError"] = result.get("function_error", "Unhandled")
        record = {
            "version": "1.0",
            "timestamp": moment.replace("+00:00", "Z"),
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": arn if qualifier_of(arn) else f"{arn}:{LATEST}",
                "condition": condition,
                "approximateInvokeCount": self.attempts,
            },
            "requestPayload": self.event,
            "responseContext": response,
            "responsePayload": result.get("body"),
        }
        try:
            _send_to_destination(target, record, outcome)
        except NoSuchQueueError as error:
            log.warning("destination of %s is missing: %s", arn, error)

    def _dead_letter(self, result: dict[str, Any]) -> None:
        target = (self.config.get("DeadLetterConfig") or {}).get("TargetArn")
        if not target:
            return
        body = result.get("body") or {}
        attributes: dict[str, str | int] = {
            "RequestID": self.request_id,
            "ErrorCode": 429 if result.get("throttle") else 200,
            "ErrorMessage": str(body.get("errorMessage") or body.get("message") or "")[:1024],
        }
        if ":sns:" in target:
            _publish(target, json.dumps(self.event))
            return
        try:
            send_to_queue(target, json.dumps(self.event), attributes)
        except NoSuchQueueError as error:
            log.warning("dead-letter queue of %s is missing: %s", self.config["FunctionArn"], error)


def _event_invoke_config(config: dict[str, Any]) -> dict[str, Any]:
    """Of exactly the qualifier that was invoked: AWS does not fall back from an alias to the function.

    None and $LATEST are one qualifier; CloudFormation, so SAM, names the latter.
    """
    from ministack.services import lambda_svc

    record = base_record(config)
    if record is None:
        return {}
    qualifier = qualifier_of(config["FunctionArn"])
    look_up = original(lambda_svc, "_event_invoke_config")
    names = (None, LATEST) if qualifier in {None, LATEST} else (qualifier,)
    return next(filter(None, (look_up(record, name) for name in names)), {})


def _send_to_destination(arn: str, record: dict[str, Any], outcome: str) -> None:
    from ministack.services import eventbridge, lambda_svc

    service = arn.split(":")[2]
    if service == "sqs":
        send_to_queue(arn, json.dumps(record), {})
    elif service == "sns":
        _publish(arn, json.dumps(record))
    elif service == "lambda":
        function, config, _ = original(lambda_svc, "_get_func_record_for_ref")(arn)
        if function and config:
            invoke = original(lambda_svc, "invoke_async_with_retry")
            invoke(original(lambda_svc, "_execution_record_for_config")(function, config), record)
    elif service == "events":
        entry = {
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {outcome.removeprefix('On')}",
            "Detail": json.dumps(record),
            "Resources": [arn, record["requestContext"]["functionArn"]],
            "EventBusName": arn,
        }
        original(eventbridge, "_put_events")({"Entries": [entry]})


def _publish(topic: str, message: str) -> None:
    from ministack.services import sns

    original(sns, "publish_internal")(topic, message)
