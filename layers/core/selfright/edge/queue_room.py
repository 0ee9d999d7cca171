"""The boundary of a Lambda function that a queue wakes: every message on its own, a bad one never stops the others."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from selfright.edge.room import Handler, collect_garbage_again, count_calls, logger

In = TypeVar("In")


def queue_room(
    parse: Callable[[Any], In], calls: Callable[[], Mapping[str, int]]
) -> Callable[[Callable[[In], BaseModel]], Handler]:
    """Make a use case the handler of an SQS queue, and of whoever invokes the function itself.

    `parse` reads a message's text, or the event where it comes without a queue; see `room` for `calls`. A message
    that cannot be dealt with is answered in batchItemFailures: SQS gives it again, then to the dead-letter queue.
    A direct call that fails raises: Lambda repeats it, then sends it to the same dead-letter queue.

    Powertools has a batch processor for this; its import is a fifth of a cold start
    (docs/decisions/0006-cold-starts.md).
    """

    def decorate(run: Callable[[In], BaseModel]) -> Handler:
        def deal_with(message: Any, message_id: str) -> dict[str, Any]:
            logger.set_correlation_id(message_id)
            try:
                result = run(parse(message))
            except Exception:
                logger.exception("message failed")  # a queue's caller is told no more than that it failed
                raise
            told: dict[str, Any] = result.model_dump(mode="json")
            logger.info("message done", extra={"result": told})
            return told

        def dealt_with(record: Mapping[str, Any]) -> bool:
            try:
                deal_with(record["body"], record["messageId"])
            except Exception:  # noqa: BLE001 - whatever it is, it is logged, and the other messages go on
                return False
            return True

        @functools.wraps(run)
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            before = sum(calls().values())
            try:
                if not _is_batch(event):
                    return deal_with(event, context.aws_request_id)
                failed = [r["messageId"] for r in event["Records"] if not dealt_with(r)]
            finally:
                count_calls(sum(calls().values()) - before)
                collect_garbage_again()
            return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}

        return handler

    return decorate


def _is_batch(event: Any) -> bool:
    match event:
        case {"Records": [{"eventSource": "aws:sqs"}, *_]}:
            return True
        case _:
            return False
