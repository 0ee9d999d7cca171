"""What a table held at any moment of its recovery window: a base and every change since, in sandbox time.

MiniStack keeps the present items only. The log starts when point-in-time recovery is switched on and ends when it is
switched off, or with the table: it lies in the table's own record. Expired items (TTL) leave it like deleted ones.
"""

from __future__ import annotations

import copy
import threading
from collections import defaultdict
from typing import Any

from ministack.services import dynamodb

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.dynamodb_demand import Item, Table
from sandbox.emulator.wrapping import replace

DAY = 86_400
# The name of the log in a table's record; DescribeTable shows none but the members that it knows.
_IN_RECORD = "selfright_change_log"

Items = dict[Any, dict[Any, Item]]  # by partition key, then by sort key, as MiniStack keeps them


class ChangeLog:
    """One table's changes since `began`; `days` is the recovery period."""

    def __init__(self, began: float, days: int, base: Items) -> None:
        self.began = began
        self.days = days
        self._base = copy.deepcopy(dict(base))
        self._changes: list[tuple[float, Any, Any, Item | None]] = []
        self._lock = threading.Lock()

    def note(self, at: float, partition: Any, sort: Any, item: Item | None) -> None:
        """`item` was stored under this key; None: what was there is gone."""
        with self._lock:
            self._changes.append((at, partition, sort, copy.deepcopy(item)))

    def earliest(self, now: float) -> float:
        return max(self.began, now - self.days * DAY)

    def items_at(self, moment: float) -> Items:
        """The table as it was right after `moment`, of which nobody else holds a part."""
        with self._lock:
            changes = list(self._changes)
        items: Items = defaultdict(dict, copy.deepcopy(self._base))
        for at, partition, sort, item in changes:
            if at > moment:
                break
            if item is None:
                items[partition].pop(sort, None)
            else:
                items[partition][sort] = copy.deepcopy(item)
        return defaultdict(dict, {partition: held for partition, held in items.items() if held})


def log_of(table: Table) -> ChangeLog | None:
    """None where point-in-time recovery is off."""
    found: ChangeLog | None = table.get(_IN_RECORD)
    return found


def start(table: Table, now: float, days: int) -> None:
    """Begin a log; one that has begun goes on, with the new period."""
    if log := log_of(table):
        log.days = days
    else:
        table[_IN_RECORD] = ChangeLog(now, days, table["items"])


def stop(table: Table) -> None:
    table.pop(_IN_RECORD, None)


def install(clock: SandboxClock) -> None:
    def set_item(before: Any) -> Any:
        def store(table: Table, partition: Any, sort: Any, item: Item) -> Any:
            if log := log_of(table):
                log.note(clock.time(), partition, sort, item)
            return before(table, partition, sort, item)

        return store

    def remove_item(before: Any) -> Any:
        def remove(table: Table, partition: Any, sort: Any) -> Any:
            removed = before(table, partition, sort)
            if removed is not None and (log := log_of(table)):
                log.note(clock.time(), partition, sort, None)
            return removed

        return remove

    def items_replaced(before: Any) -> Any:
        # A PartiQL transaction that fails puts the items of before back: what it had done is undone in the log too.
        def recount(table: Table) -> None:
            before(table)
            if log := log_of(table):
                now = clock.time()
                _note_differences(log, now, log.items_at(now), table["items"])

        return recount

    replace(dynamodb, "_set_item", set_item)
    replace(dynamodb, "_remove_item", remove_item)
    replace(dynamodb, "_items_replaced", items_replaced)


def _note_differences(log: ChangeLog, now: float, logged: Items, present: Items) -> None:
    for partition in {*logged, *present}:
        old, new = logged.get(partition, {}), present.get(partition, {})
        for sort in {*old, *new}:
            if old.get(sort) != new.get(sort):
                log.note(now, partition, sort, new.get(sort))
