"""What the check of a table makes of DescribeTable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from selfright.checks.dynamodb import table as check
from selfright.domain.catalogue import NoParameters
from selfright.domain.errors import BusyError
from selfright.domain.manifest import DynamoDBTable
from selfright.ports import TableState
from tests.fakes import FakeTables, StillClock

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
ORDERS = DynamoDBTable(type="dynamodb-table", name="orders")


def findings(**state: Any) -> dict[str, bool]:
    described = TableState(**{"name": "orders", "status": "ACTIVE", "on_demand": False, **state})
    instruments = SimpleNamespace(tables=FakeTables(described), clock=StillClock(NOW))
    return check.run(instruments, ORDERS, NoParameters()).findings


@pytest.mark.parametrize(
    ("decreases", "minutes_ago", "possible"),
    [
        (0, None, True),
        (0, 5, True),  # yesterday's
        (1, 5, True),  # its hour is still on, or it is over by then: one of both holds for the next
        (2, 5, False),  # the first one may be long ago, and then there is one an hour
        (3, 59, False),
        (3, 60, True),
        (9, 60, True),  # one an hour, all day long
    ],
)
def test_whether_a_raise_could_be_taken_back(decreases: int, minutes_ago: int | None, possible: bool):
    last = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)

    assert findings(decreases_today=decreases, last_decrease_at=last)["undo-possible"] is possible


def test_an_on_demand_table_has_nothing_to_take_back():
    assert not findings(on_demand=True)["undo-possible"]


def test_a_table_that_is_being_changed_is_waited_for():
    with pytest.raises(BusyError, match="orders is UPDATING"):
        findings(status="UPDATING")


def test_a_table_in_any_other_state_is_busy():
    assert findings(status="ARCHIVING")["table-busy"]
    assert not findings(status="ACTIVE")["table-busy"]
