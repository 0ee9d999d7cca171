"""DynamoDB refuses requests beyond a table's capacity, and says with ThrottlingReasons what was short.

Single-item requests, Query and Scan are wrapped here; batches and transactions, which may be granted in part or
must be granted whole, in dynamodb_batches.py. A granted request is charged what it really consumed: an invalid one
nothing, a failed condition like a write, a page or an update that turned out larger than foreseen the rest.
PartiQL statements are not metered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb

from sandbox.emulator import dynamodb_batches, dynamodb_demand, dynamodb_metrics
from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.dynamodb_demand import Charge, Item, Table
from sandbox.emulator.dynamodb_limits import Limits
from sandbox.emulator.dynamodb_refusals import OK, Answer, Handler, find_table, refused
from sandbox.emulator.wrapping import original, replace

Foresee = Callable[[Table, dict[str, Any]], list[Charge]]

CONSUMING_ERROR = "ConditionalCheckFailedException"  # the only refusal of a request that costs its units


class _Seen(threading.local):
    """What MiniStack's handler touched while it served the request of this thread."""

    written: tuple[Item | None, Item | None] | None = None
    page_bytes: int = 0


_seen = _Seen()


def install(clock: SandboxClock) -> None:
    limits = Limits(clock)
    for operation, handler, foresee in (
        ("PutItem", "_put_item", _put),
        ("DeleteItem", "_delete_item", _delete),
        ("UpdateItem", "_update_item", _update),
        ("GetItem", "_get_item", _get),
        ("Query", "_query", _page),
        ("Scan", "_scan", _page),
    ):
        replace(dynamodb, handler, _metered(limits, operation, foresee))
    replace(dynamodb, "_add_consumed_capacity", _note_write)
    replace(dynamodb, "_paginate_evaluated_items", _note_page)
    replace(dynamodb, "_delete_table", _forgetting(limits))
    dynamodb_batches.install_with(limits)


def _metered(limits: Limits, operation: str, foresee: Foresee) -> Callable[[Handler], Handler]:
    def wrap(handler: Handler) -> Handler:
        def serve(data: dict[str, Any]) -> Answer:
            table = find_table(data.get("TableName"))
            if table is None:
                return handler(data)
            try:
                foreseen = foresee(table, data)
            except (AttributeError, KeyError, TypeError):  # malformed: the handler says what is wrong
                return handler(data)
            if refusals := limits.take(foreseen):
                return refused(operation, refusals)
            _seen.written, _seen.page_bytes = None, 0
            started = time.perf_counter()
            answer = handler(data)
            if answer[0] == OK:
                actual = _actual(operation, table, data, foreseen)
                limits.owe(dynamodb_demand.beyond(actual, foreseen))
                dynamodb_metrics.consumed(actual)
                elapsed = (time.perf_counter() - started) * 1000
                dynamodb_metrics.succeeded(table["TableName"], operation, elapsed)
            elif answer[1].get("x-amzn-errortype") == CONSUMING_ERROR:
                dynamodb_metrics.consumed(foreseen)
            else:
                limits.give_back(foreseen)
            return answer

        return serve

    return wrap


def _put(table: Table, data: dict[str, Any]) -> list[Charge]:
    item = data["Item"]
    return dynamodb_demand.write(table, dynamodb_demand.stored_item(table, item), item, item)


def _delete(table: Table, data: dict[str, Any]) -> list[Charge]:
    return dynamodb_demand.write(table, dynamodb_demand.stored_item(table, data["Key"]), None, data["Key"])


def _update(table: Table, data: dict[str, Any]) -> list[Charge]:
    # What the update makes of the item is known afterwards; before it, the item as it is stands for it. An index
    # that the update touches is charged then, and may go into debt: that throttles the writes after this one.
    old = dynamodb_demand.stored_item(table, data["Key"])
    return dynamodb_demand.write(table, old, old, data["Key"]) + dynamodb_demand.index_debts(table)


def _get(table: Table, data: dict[str, Any]) -> list[Charge]:
    key = data["Key"]
    item = dynamodb_demand.stored_item(table, key)
    return dynamodb_demand.read(table, item, key, consistent=bool(data.get("ConsistentRead")))


def _page(table: Table, data: dict[str, Any]) -> list[Charge]:
    return dynamodb_demand.page(table, data, size=0)


def _actual(operation: str, table: Table, data: dict[str, Any], foreseen: list[Charge]) -> list[Charge]:
    if operation == "UpdateItem" and _seen.written is not None:
        return dynamodb_demand.write(table, *_seen.written, data["Key"])
    if operation in {"Query", "Scan"}:
        return dynamodb_demand.page(table, data, _seen.page_bytes)
    return foreseen


def _note_write(before: Callable[..., None]) -> Callable[..., None]:
    def note(result: dict[str, Any], data: dict[str, Any], table_name: str, **write: Any) -> None:
        if write.get("write"):
            _seen.written = (write.get("old_item"), write.get("new_item"))
        before(result, data, table_name, **write)

    return note


def _note_page(before: Callable[..., Any]) -> Callable[..., Any]:
    item_bytes = original(dynamodb, "_item_size_bytes")

    def note(items: Any, limit: Any, table: Table, index_name: str | None = None) -> Any:
        page, stopped = before(items, limit, table, index_name)
        _seen.page_bytes = sum(item_bytes(item) for item in page)
        return page, stopped

    return note


def _forgetting(limits: Limits) -> Callable[[Handler], Handler]:
    def wrap(delete_table: Handler) -> Handler:
        def serve(data: dict[str, Any]) -> Answer:
            table = find_table(data.get("TableName"))
            answer = delete_table(data)
            if table is not None and answer[0] == OK:
                limits.forget(table["TableArn"])
            return answer

        return serve

    return wrap
