"""DynamoDB throttles batches item by item and transactions as a whole.

BatchWriteItem and BatchGetItem hand back what the capacity did not reach (UnprocessedItems, UnprocessedKeys) and
fail only where nothing at all was processed. TransactWriteItems and TransactGetItems cost double and are
cancelled where any part is refused. Installed by dynamodb_throttling.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import dynamodb

from sandbox.emulator import dynamodb_demand, dynamodb_metrics
from sandbox.emulator.dynamodb_demand import Charge, Table
from sandbox.emulator.dynamodb_limits import Limits, Refusal
from sandbox.emulator.dynamodb_refusals import (
    OK,
    TABLE_EXCEEDED,
    Answer,
    Handler,
    count,
    error,
    find_table,
    refused,
)
from sandbox.emulator.wrapping import replace

TRANSACTION_FACTOR = 2.0

Wrap = Callable[[Handler], Handler]
Split = Callable[[str, Any], Iterator[tuple[Any, list[Charge]]]]

# What reading a malformed request raises; MiniStack's handler then says what is wrong with it.
MALFORMED = (AttributeError, KeyError, TypeError, ValueError)


def install_with(limits: Limits) -> None:
    replace(dynamodb, "_batch_write_item", _batch(limits, "BatchWriteItem", _writes, "UnprocessedItems"))
    replace(dynamodb, "_batch_get_item", _batch(limits, "BatchGetItem", _reads, "UnprocessedKeys"))
    replace(dynamodb, "_transact_write_items", _transaction(limits, "TransactWriteItems", _transact_write))
    replace(dynamodb, "_transact_get_items", _transaction(limits, "TransactGetItems", _transact_read))


def _existing(name: str) -> Table:
    table = find_table(name)
    if table is None:
        raise KeyError(name)
    return table


def _writes(table_name: str, requests: Any) -> Iterator[tuple[Any, list[Charge]]]:
    table = _existing(table_name)
    for request in requests:
        new = request["PutRequest"]["Item"] if "PutRequest" in request else None
        key = new if new is not None else request["DeleteRequest"]["Key"]
        yield request, dynamodb_demand.write(table, dynamodb_demand.stored_item(table, key), new, key)


def _reads(table_name: str, config: Any) -> Iterator[tuple[Any, list[Charge]]]:
    table = _existing(table_name)
    for key in config["Keys"]:
        item = dynamodb_demand.stored_item(table, key)
        yield key, dynamodb_demand.read(table, item, key, consistent=bool(config.get("ConsistentRead")))


def _with_parts(request: Any, parts: list[Any]) -> Any:
    """The same request for other parts: BatchGetItem's is an object around its Keys."""
    return {**request, "Keys": parts} if isinstance(request, dict) else parts


def _batch(limits: Limits, operation: str, split: Split, unprocessed: str) -> Wrap:
    def wrap(handler: Handler) -> Handler:
        def serve(data: dict[str, Any]) -> Answer:
            try:
                asked = {
                    name: (request, list(split(name, request)))
                    for name, request in data["RequestItems"].items()
                }
            except MALFORMED:
                return handler(data)
            granted: dict[str, Any] = {}
            handed_back: dict[str, Any] = {}
            taken: list[Charge] = []
            refusals: list[Refusal] = []
            for name, (request, pieces) in asked.items():
                kept: list[Any] = []
                left: list[Any] = []
                for piece, charges in pieces:
                    short = limits.take(charges)
                    refusals += short
                    (left if short else kept).append(piece)
                    taken += [] if short else charges
                if kept:
                    granted[name] = _with_parts(request, kept)
                if left:
                    handed_back[name] = _with_parts(request, left)
            if refusals and not granted:
                return refused(operation, refusals)
            answer = _serve(handler, {**data, "RequestItems": granted}, operation, limits, taken)
            if answer[0] != OK or not refusals:
                return answer
            count(refusals)
            body = {**json.loads(answer[2]), unprocessed: handed_back}
            return answer[0], answer[1], json.dumps(body).encode()

        return serve

    return wrap


def _serve(
    handler: Handler, data: dict[str, Any], operation: str, limits: Limits, taken: list[Charge]
) -> Answer:
    """Run the handler and account for the capacity taken before."""
    started = time.perf_counter()
    answer = handler(data)
    if answer[0] == OK:
        dynamodb_metrics.consumed(taken)
        for table in {charge.table for charge in taken}:
            dynamodb_metrics.succeeded(table, operation, (time.perf_counter() - started) * 1000)
    elif answer[1].get("x-amzn-errortype") == "TransactionCanceledException":
        dynamodb_metrics.consumed(taken)  # a cancelled transaction costs like one that went through
    else:
        limits.give_back(taken)
    return answer


def _transact_write(member: dict[str, Any]) -> list[Charge]:
    ((action, operation),) = member.items()
    table = _existing(operation["TableName"])
    key = operation["Item"] if action == "Put" else operation["Key"]
    old = dynamodb_demand.stored_item(table, key)
    new = {"Put": operation.get("Item"), "Delete": None}.get(action, old)
    return dynamodb_demand.write(table, old, new, key)


def _transact_read(member: dict[str, Any]) -> list[Charge]:
    get = member["Get"]
    table = _existing(get["TableName"])
    item = dynamodb_demand.stored_item(table, get["Key"])
    return dynamodb_demand.read(table, item, get["Key"], consistent=True)


def _transaction(limits: Limits, operation: str, member_charges: Callable[[Any], list[Charge]]) -> Wrap:
    def wrap(handler: Handler) -> Handler:
        def serve(data: dict[str, Any]) -> Answer:
            try:
                members = [
                    dynamodb_demand.times(TRANSACTION_FACTOR, member_charges(member))
                    for member in data["TransactItems"]
                ]
            except MALFORMED:
                return handler(data)
            taken: list[Charge] = []
            for place, charges in enumerate(members):
                if refusals := limits.take(charges):
                    limits.give_back(taken)
                    return _cancelled(operation, refusals, place, len(members))
                taken += charges
            return _serve(handler, data, operation, limits, taken)

        return serve

    return wrap


def _cancelled(operation: str, refusals: list[Refusal], place: int, members: int) -> Answer:
    count(refusals)
    dynamodb_metrics.request_throttled(refusals[0].charge.table, operation)
    code = "ThrottlingError" if refusals[0].on_demand else "ProvisionedThroughputExceeded"
    reasons: list[dict[str, str]] = [{"Code": "None"} for _ in range(members)]
    reasons[place] = {"Code": code, "Message": TABLE_EXCEEDED}
    codes = ", ".join(reason["Code"] for reason in reasons)
    return error(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        {"CancellationReasons": reasons},
    )
