"""Dead-letter queues of EventBridge targets and of Lambda: one message per event that was given up."""

from __future__ import annotations

from typing import Any

from sandbox.emulator.wrapping import original


class NoSuchQueueError(Exception):
    """The ARN names no queue of this account and region."""


def send_to_queue(arn: str, body: str, attributes: dict[str, str | int]) -> None:
    """Send one message with String and Number attributes, inside the process.

    Raises NoSuchQueueError.
    """
    from ministack.services import sqs

    queue = original(sqs, "_queue_by_arn")(arn)
    if queue is None:
        raise NoSuchQueueError(arn)
    message: dict[str, Any] = {
        "MessageBody": body,
        "MessageAttributes": {
            name: {"DataType": "Number" if isinstance(value, int) else "String", "StringValue": str(value)}
            for name, value in attributes.items()
        },
    }
    if queue.get("is_fifo"):  # EventBridge refuses FIFO dead-letter queues; Lambda's destinations too
        raise NoSuchQueueError(f"{arn} is a FIFO queue")
    original(sqs, "_act_send_message")(message, queue["url"])
