"""What an EventBridge target does with one event, and AWS's error code where it refuses."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.emulator.events_retry import DeliveryError
from sandbox.emulator.wrapping import original

PRINCIPAL = "events.amazonaws.com"


def to_lambda(arn: str, payload: str) -> None:
    from ministack.services import lambda_svc

    function, config, name = original(lambda_svc, "_get_func_record_for_ref")(arn)
    if not function or not config:
        raise DeliveryError("NO_RESOURCE", f"Function not found: {name}")
    record = original(lambda_svc, "_execution_record_for_config")(function, config)
    original(lambda_svc, "invoke_async_with_retry")(record, json.loads(payload))


def to_step_functions(arn: str, payload: str) -> None:
    from ministack.services import stepfunctions

    start = {"stateMachineArn": arn, "input": payload}
    status, _, body = original(stepfunctions, "_start_execution")(start)
    if status < 400:  # noqa: PLR2004 - HTTP
        return
    answer = json.loads(body)
    kind, message = str(answer.get("__type", "")).rpartition("#")[2], str(answer.get("message", ""))
    if kind == "StateMachineDoesNotExist":
        raise DeliveryError("NO_RESOURCE", message)
    if kind in ("ExecutionLimitExceeded", "ThrottlingException"):
        raise DeliveryError("THROTTLING", message, retriable=True)
    if kind.startswith("Invalid"):
        raise DeliveryError("INVALID_PARAMETER", message)
    raise DeliveryError("SDK_CLIENT_ERROR", f"{kind}: {message}")


def to_sns(arn: str, payload: str) -> None:
    from ministack.services import sns

    try:
        published = original(sns, "publish_internal")(arn, payload)
    except original(sns, "SnsPublishError") as error:
        raise DeliveryError("INVALID_PARAMETER", str(error)) from error
    if published is None:
        raise DeliveryError("NO_RESOURCE", f"Topic does not exist: {arn}")


def to_sqs(arn: str, rule: str, parameters: dict[str, Any], send: Callable[[], None]) -> None:
    """`send` puts the message into the queue once it is known to be allowed."""
    from ministack.services import sqs

    queue = original(sqs, "_queue_by_arn")(arn)
    if queue is None:
        raise DeliveryError("NO_RESOURCE", f"The specified queue does not exist: {arn}")
    if queue.get("is_fifo") and not parameters.get("MessageGroupId"):
        raise DeliveryError("INVALID_PARAMETER", "The request must contain the parameter MessageGroupId.")
    require_permission(arn, rule)
    send()


def require_permission(queue_arn: str, rule_arn: str) -> None:
    """The queue's policy must let EventBridge in; MiniStack judges policies under AUTH=true only."""
    from ministack.core import responses
    from ministack.services import sqs

    allows = original(sqs, "queue_policy_allows")
    if not allows(queue_arn, PRINCIPAL, rule_arn, responses.get_account_id()):
        raise DeliveryError("NO_PERMISSIONS", f"{PRINCIPAL} may not send to {queue_arn}")


def to_log_group(arn: str, event: str, now: float) -> None:
    from ministack.services import cloudwatch_logs

    group = arn.split(":log-group:")[1].removesuffix(":*")
    groups = original(cloudwatch_logs, "_log_groups")
    if group not in groups:
        raise DeliveryError("NO_RESOURCE", f"The specified log group does not exist: {group}")
    stream, moment = str(uuid.uuid4()), int(now * 1000)
    original(cloudwatch_logs, "_create_log_stream")({"logGroupName": group, "logStreamName": stream})
    entries = [{"timestamp": moment, "message": event, "ingestionTime": moment}]
    original(cloudwatch_logs, "_append_log_events")(groups[group]["streams"][stream], entries)
    original(cloudwatch_logs, "_fanout_to_subscription_filters")(group, stream, entries)
