"""The catalogue of recovery points, runs and pending changes as DynamoDB keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selfright.adapters.aws import Aws
from selfright.adapters.recovery_points import (
    DynamoDBBackupRuns,
    DynamoDBConfigurationChanges,
    DynamoDBRecoveryPoints,
)
from selfright.domain.backup.catalogue import Changes, Place, PointKind, RecoveryPoint, Tier
from selfright.domain.backup.run import BackupRun, Part, Scope

NOW = datetime(2026, 11, 22, 1, 30, 0, 250000, tzinfo=UTC)
WEEK = timedelta(days=7)


def point(began: datetime = NOW, **changes: Any) -> RecoveryPoint:
    given: dict[str, Any] = {
        "workload": "shop",
        "environment": "production",
        "run": f"bk-{began:%m%d}",
        "run_began_at": began,
        "kind": PointKind.TEMPLATE,
        "source": "shop-production",
        "taken_at": began,
        "place": Place(bucket="backups", key="k", version="v1"),
        "sha256": "ab" * 32,
        "size": 7,
    }
    return RecoveryPoint.model_validate(given | changes)


@pytest.fixture
def points(aws: Aws, table: str) -> DynamoDBRecoveryPoints:
    return DynamoDBRecoveryPoints(aws, table)


def test_what_was_recorded_is_read_again_newest_first(points: DynamoDBRecoveryPoints):
    old, new = point(NOW - WEEK), point()
    points.record(new)
    points.record(old)

    assert points.history("shop", "production", "template", "shop-production") == [new, old]
    assert points.newest("shop", "production") == [new]


def test_a_run_that_records_twice_is_catalogued_once(points: DynamoDBRecoveryPoints):
    points.record(point())
    again = point(taken_at=NOW + timedelta(seconds=9), place=Place(bucket="backups", key="k", version="v2"))
    points.record(again)

    assert points.history("shop", "production", "template", "shop-production") == [again]
    assert points.newest("shop", "production") == [again]


def test_sources_that_begin_alike_are_kept_apart(points: DynamoDBRecoveryPoints):
    points.record(point(source="shop"))
    points.record(point(source="shop-two"))

    assert [p.source for p in points.history("shop", "production", "template", "shop")] == ["shop"]
    assert len(points.newest("shop", "production")) == 2


def test_what_lies_deep_is_in_the_history_and_never_the_newest(points: DynamoDBRecoveryPoints):
    points.record(point(tier=Tier.DEEP))

    assert points.newest("shop", "production") == []
    assert len(points.history("shop", "production", "template", "shop-production")) == 1


def test_a_point_expires_with_its_object(points: DynamoDBRecoveryPoints, aws: Aws, table: str):
    points.record(point())

    items = aws.client("dynamodb").scan(TableName=table)["Items"]

    expiring = [item for item in items if "expires" in item]
    assert [int(item["expires"]["N"]) for item in expiring] == [int((NOW + timedelta(days=2557)).timestamp())]


# -- changes


@pytest.fixture
def changes(aws: Aws, table: str) -> DynamoDBConfigurationChanges:
    return DynamoDBConfigurationChanges(aws, table)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_the_first_and_the_last_change_are_kept(changes: DynamoDBConfigurationChanges):
    for seconds in (0, 60, 120, 119):  # the last two were heard of at once
        changes.mark("shop", "production", at(seconds))

    assert changes.pending("shop", "production") == Changes(first=NOW, last=at(120))
    assert changes.pending("shop", "staging") is None


def test_a_snapshot_covers_what_came_before_it(changes: DynamoDBConfigurationChanges):
    changes.mark("shop", "production", NOW)
    changes.covered("shop", "production", NOW)

    assert changes.pending("shop", "production") is None
    changes.covered("shop", "production", at(1))  # again, with nothing to cover


def test_a_change_that_comes_while_a_snapshot_is_taken_is_pending_still(
    changes: DynamoDBConfigurationChanges,
):
    changes.mark("shop", "production", NOW)
    changes.mark("shop", "production", at(60))
    changes.covered("shop", "production", at(30))

    assert changes.pending("shop", "production") == Changes(first=at(30), last=at(60))
    # ... and an older snapshot that is told late takes nothing back
    changes.covered("shop", "production", at(10))
    assert changes.pending("shop", "production") == Changes(first=at(30), last=at(60))


def test_a_run_is_read_as_it_was_saved(aws: Aws, table: str):
    runs = DynamoDBBackupRuns(aws, table)
    run = BackupRun(
        id="bk-1",
        execution="arn",
        workload="shop",
        environment="production",
        scope=Scope.WEEKLY,
        began_at=NOW,
        parts=(Part(kind=PointKind.TEMPLATE, source="shop-production", point=point()),),
    )

    runs.save(run)

    assert runs.find("bk-1") == run
    assert runs.find("bk-2") is None
