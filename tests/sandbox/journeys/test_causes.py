"""Throttling that capacity does not cure, or that its owner wants: people get the runbook's words, nothing is touched."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest

from selfright.domain.incident import CaseFile, EntryKind, IncidentStatus
from tests.sandbox.journeys.load import WRITES_PER_SANDBOX_SECOND
from tests.sandbox.journeys.world import CALM, TABLE, World

OWNERS_MAXIMUM = 2  # written units a second; calm traffic wants four
LARGE_ITEM = 395 * 1024  # DynamoDB takes 400 KB


@pytest.fixture(scope="module")
def on_demand(sandbox_world: World) -> Iterator[World]:
    """A table without units of its own: only its partitions, or its owner, can throttle it."""
    sandbox_world.calm_down()
    sandbox_world.set_on_demand(OWNERS_MAXIMUM)
    yield sandbox_world
    sandbox_world.taint()
    sandbox_world.calm_down()


def assert_left_to_people(case: CaseFile, words: str) -> None:
    assert case.incident.status is IncidentStatus.ESCALATED
    assert case.incident.outcome == f"people-needed: {words}"
    (attempt,) = case.attempts
    assert (attempt.plan, attempt.remedy) == (None, None)
    assert not [e for e in case.timeline if e.kind in {EntryKind.ACTION_APPLIED, EntryKind.STEP_FAILED}]


def test_the_owners_own_maximum_is_not_raised(on_demand: World):
    case = on_demand.closed(on_demand.alarm_goes_off(CALM).id)

    assert_left_to_people(
        case,
        "The table reached the on-demand maximum that its owner set. Raising it is the owner's decision.",
    )
    assert case.attempts[0].findings["on-demand-cap-reached"]
    described = on_demand.client("dynamodb").describe_table(TableName=TABLE)["Table"]
    assert described["OnDemandThroughput"]["MaxWriteRequestUnits"] == OWNERS_MAXIMUM


@pytest.fixture
def hot_partition(on_demand: World) -> Iterator[None]:
    """Transactions that ask one partition for 1,600 units at once; AWS gives it 1,000 a second."""
    on_demand.set_on_demand()
    on_demand.until("the alarm is OK", lambda: on_demand.alarm_state() == "OK")
    dynamodb = on_demand.client("dynamodb")
    keys = [{"opportunity_id": {"S": "HOT"}, "analysis_id": {"S": part}} for part in ("1", "2")]
    for key in keys:
        dynamodb.put_item(TableName=TABLE, Item={**key, "payload": {"S": "x" * LARGE_ITEM}})
    members = [
        {
            "Update": {
                "TableName": TABLE,
                "Key": key,
                "UpdateExpression": "SET seen = :now",
                "ExpressionAttributeValues": {":now": {"N": "1"}},
            }
        }
        for key in keys
    ]
    over = threading.Event()

    def ask() -> None:
        while not over.wait(1 / (WRITES_PER_SANDBOX_SECOND * on_demand.server.scale)):
            with contextlib.suppress(dynamodb.exceptions.TransactionCanceledException):
                dynamodb.transact_write_items(TransactItems=members)

    asking = threading.Thread(target=ask)
    asking.start()
    yield
    over.set()
    asking.join()


def test_a_hot_partition_gets_no_capacity(on_demand: World, hot_partition: None):
    case = on_demand.closed(on_demand.alarm_goes_off(CALM).id)

    assert_left_to_people(
        case,
        "A single partition is at its limit. More capacity does not help; spread the key or cache the hot item.",
    )
    assert case.attempts[0].findings["hot-partition"]
    assert case.attempts[0].facts["usage"]["write"]["throttles"]["key_range"] > 0
    assert on_demand.table()["mode"] == "PAY_PER_REQUEST"
