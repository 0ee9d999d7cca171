"""The boundary of a Lambda function that a queue wakes: every message on its own, a bad one never stops the others."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from selfright.edge.room import Handler, collect_garbage_again, count_calls, logger

In = TypeVar("In")


def queue_room(
    parse: Callable[[Any], In], calls: Callable[[], Mapping[str, int]]
) -> Callable[[Callable[[In], BaseModel]], Handler]:
    """Make a use case the handler of an SQS queue. `parse` reads a message's JSON; see `room` for `calls`.

    A message that cannot be dealt with is answered in batchItemFailures: SQS gives it again, then to the
    dead-letter queue. Powertools has a batch processor for this; its import is a fifth of a cold start
    (docs/decisions/0006-cold-starts.md).
    """

    def decorate(run: Callable[[In], BaseModel]) -> Handler:
        def dealt_with(record: Mapping[str, Any]) -> bool:
            logger.set_correlation_id(record["messageId"])
            try:
                result = run(parse(json.loads(record["body"])))
            except Exception:  # noqa: BLE001 - whatever it is, the other messages go on
                logger.exception("message failed")
                return False
            logger.info("message done", extra={"result": result.model_dump(mode="json")})
            return True

        @functools.wraps(run)
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            del context
            before = sum(calls().values())
            try:
                failed = [r["messageId"] for r in event["Records"] if not dealt_with(r)]
            finally:
                count_calls(sum(calls().values()) - before)
                collect_garbage_again()
            return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}

        return handler

    return decorate
