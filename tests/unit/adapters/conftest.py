"""A moto AWS for this folder, and a ledger table per test, shaped as template.yaml declares it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from selfright.adapters.aws import Aws
from selfright.adapters.history import DynamoDBHistory
from selfright.adapters.leases import DynamoDBLeases
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.ports import History, IncidentStore, Leases
from tests.fakes import MemoryLeases, MemoryStore
from tests.unit.template import resources

_names = count(1)


@pytest.fixture(scope="package")
def aws() -> Iterator[Aws]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        home = Aws()
        client = home.client("dynamodb")
        # DynamoDB carries out one request at a time for an item; moto's threads would step on each other's feet.
        one_at_a_time, call = threading.Lock(), client._make_api_call

        def in_turn(*args: Any) -> Any:
            with one_at_a_time:
                return call(*args)

        client._make_api_call = in_turn
        yield home


@pytest.fixture
def table(aws: Aws) -> str:
    """An empty ledger table."""
    name = f"ledger-{next(_names)}"
    shape = resources("AWS::DynamoDB::Table")["Ledger"]
    wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    aws.client("dynamodb").create_table(TableName=name, **{key: shape[key] for key in wanted})
    return name


@dataclass
class Ledger:
    store: IncidentStore
    leases: Leases
    history: History


@pytest.fixture(params=["memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """Both implementations, which every test here must find alike."""
    if request.param == "memory":
        leases = MemoryLeases()
        store = MemoryStore(leases)
        return Ledger(store, leases, store)
    aws, table = request.getfixturevalue("aws"), request.getfixturevalue("table")
    return Ledger(DynamoDBIncidentStore(aws, table), DynamoDBLeases(aws, table), DynamoDBHistory(aws, table))


class Stubbed:
    """Clients that answer what a test says, in order, and refuse any other call or parameter."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self._stubbers: dict[str, Stubber] = {}

    def answer(self, service: str, operation: str, response: dict[str, Any], **expected: Any) -> None:
        self._stubber(service).add_response(operation, response, expected or None)

    def refuse(self, service: str, operation: str, code: str, message: str = "no") -> None:
        self._stubber(service).add_client_error(operation, code, message)

    def done(self) -> None:
        for stubber in self._stubbers.values():
            stubber.deactivate()
            stubber.assert_no_pending_responses()

    def _stubber(self, service: str) -> Stubber:
        if service not in self._stubbers:
            self._stubbers[service] = Stubber(self.aws.client(service))
            self._stubbers[service].activate()
        return self._stubbers[service]


@pytest.fixture(scope="package")
def _clients() -> Aws:
    """Clients are slow to make, and a stubbed one is as good as new when its stubber is gone."""
    return Aws()


@pytest.fixture
def stubbed(_clients: Aws) -> Iterator[Stubbed]:
    stubs = Stubbed(_clients)
    yield stubs
    stubs.done()
