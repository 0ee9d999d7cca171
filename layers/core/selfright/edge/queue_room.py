"""The boundary of a Lambda function that a queue wakes: every message on its own, a bad one never stops the others."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from pydantic import BaseModel

from selfright.edge.room import Handler, count_calls, logger

In = TypeVar("In")


def queue_room(
    parse: Callable[[Any], In], calls: Callable[[], Mapping[str, int]]
) -> Callable[[Callable[[In], BaseModel]], Handler]:
    """Make a use case the handler of an SQS queue. `parse` reads a message's JSON; see `room` for `calls`.

    A message that cannot be dealt with is answered in batchItemFailures: SQS gives it again, then to the
    dead-letter queue.
    """

    def decorate(run: Callable[[In], BaseModel]) -> Handler:
        def deal_with(record: Any) -> None:  # Powertools passes it by this name
            logger.set_correlation_id(record.message_id)
            try:
                result = run(parse(record.json_body))
            except Exception:
                logger.exception("message failed")  # the batch processor itself says nothing
                raise
            logger.info("message done", extra={"result": result.model_dump(mode="json")})

        @functools.wraps(run)
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            before = sum(calls().values())
            processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
            try:
                answer = process_partial_response(
                    event=event, record_handler=deal_with, processor=processor, context=context
                )
            finally:
                count_calls(sum(calls().values()) - before)
            return dict(answer)

        return handler

    return decorate
