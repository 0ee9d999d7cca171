"""The fakes and the adapters fill the same ports, with the same names."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from selfright import backup_ports, ports
from selfright.adapters.alarms import CloudWatchAlarms
from selfright.adapters.channels import ManifestChannels
from selfright.adapters.clock import SystemClock
from selfright.adapters.leases import DynamoDBLeases
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.adapters.restore_tests import (
    DynamoDBCopiedItems,
    DynamoDBRestoreTests,
    DynamoDBSentinels,
    S3EvidenceBucket,
)
from selfright.adapters.scaling import TableScalingTargets
from selfright.adapters.switches import AppConfigSwitchBoard
from selfright.adapters.table_backups import DynamoDBTableBackups
from selfright.adapters.table_exports import S3TableExports
from selfright.adapters.tables import DynamoDBTables
from selfright.adapters.workflows import StepFunctionsExecutions, StepFunctionsWorkflows
from selfright.domain.errors import SourceDownError, ThrottledError
from tests.fakes import (
    Down,
    FakeAlarms,
    FakeChannels,
    FakeScaling,
    FakeSwitchBoard,
    FakeTables,
    MemoryLeases,
    MemoryStore,
    RecordingWorkflows,
    StillClock,
)
from tests.fakes.backups import FakeBackups, FakeExecutions, MemoryBucket, MemoryRestoreTests

FILLED: list[tuple[type, type, type]] = [
    (ports.Clock, StillClock, SystemClock),
    (ports.IncidentStore, MemoryStore, DynamoDBIncidentStore),
    (ports.Leases, MemoryLeases, DynamoDBLeases),
    (ports.Workflows, RecordingWorkflows, StepFunctionsWorkflows),
    (ports.Channels, FakeChannels, ManifestChannels),
    (ports.Alarms, FakeAlarms, CloudWatchAlarms),
    (ports.SwitchBoard, FakeSwitchBoard, AppConfigSwitchBoard),
    (ports.Tables, FakeTables, DynamoDBTables),
    (ports.ScalingTargets, FakeScaling, TableScalingTargets),
    (backup_ports.TableBackups, FakeBackups, DynamoDBTableBackups),
    (backup_ports.TableExports, FakeBackups, S3TableExports),
    (backup_ports.CopiedItems, FakeBackups, DynamoDBCopiedItems),
    (backup_ports.Sentinels, FakeBackups, DynamoDBSentinels),
    (backup_ports.RestoreTests, MemoryRestoreTests, DynamoDBRestoreTests),
    (backup_ports.Executions, FakeExecutions, StepFunctionsExecutions),
    (backup_ports.EvidenceBucket, MemoryBucket, S3EvidenceBucket),
]


def methods(kind: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(method)
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


@pytest.mark.parametrize(("port", "fake", "adapter"), FILLED, ids=lambda kind: kind.__name__)
def test_a_fake_and_an_adapter_take_what_their_port_takes(port: type, fake: type, adapter: type):
    wanted = methods(port)

    assert wanted
    for filling in (fake, adapter):
        assert wanted.items() <= methods(filling).items()


@pytest.mark.parametrize("error", [SourceDownError("down"), ThrottledError("slow down")])
def test_a_port_that_is_down_raises_whatever_is_asked_of_it(error: Exception):
    tables: Any = Down(error)

    with pytest.raises(type(error), match=str(error)):
        tables.describe("orders")
