"""The ports of selfright.ports, filled with memory: what the use cases are tested with.

They keep the promises that ports.py writes down; tests/unit/adapters holds MemoryStore and MemoryLeases to the same
contract as their DynamoDB counterparts.
"""

from tests.fakes.aws import (
    FakeAlarms,
    FakeScaling,
    FakeSwitchBoard,
    FakeTables,
    RecordingMessenger,
    RecordingWorkflows,
    StillClock,
)
from tests.fakes.channels import FakeChannels
from tests.fakes.failing import Down, Fuse
from tests.fakes.functions import FakeFlagBoard, FakeFunctions, FakeLogs
from tests.fakes.ledger import MemoryLeases, MemoryStore

__all__ = [
    "Down",
    "FakeAlarms",
    "FakeChannels",
    "FakeFlagBoard",
    "FakeFunctions",
    "FakeLogs",
    "FakeScaling",
    "FakeSwitchBoard",
    "FakeTables",
    "Fuse",
    "MemoryLeases",
    "MemoryStore",
    "RecordingMessenger",
    "RecordingWorkflows",
    "StillClock",
]
