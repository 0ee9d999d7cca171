"""Whether what is catalogued is recent enough: what is not known is never told as fine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from selfright.domain.backup.catalogue import (
    Changes,
    Place,
    PointKind,
    RecoveryPoint,
    Standing,
    Tier,
    Wanted,
    standings,
    wanted,
)
from selfright.domain.errors import ManifestError
from selfright.domain.manifest import load
from tests.unit.back_up.world import SHOP

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


def point(kind: PointKind, age: timedelta, tier: Tier = Tier.WARM) -> RecoveryPoint:
    return RecoveryPoint(
        workload="shop",
        environment="production",
        run="bk-1",
        run_began_at=NOW - age,
        kind=kind,
        source="shop",
        taken_at=NOW - age,
        place=Place(bucket="backups", key="k", version="1"),
        tier=tier,
    )


def standing(
    kind: PointKind, *points: RecoveryPoint, rpo: int = 3600, changes: Changes | None = None
) -> Standing:
    (found,) = standings([Wanted(kind=kind, source="shop", rpo_seconds=rpo)], points, changes, NOW)
    return found


def test_every_part_of_the_manifest_is_wanted_with_its_objective():
    items = wanted(load(SHOP, {}, "production"))

    week = 7 * 86400 + 7200
    assert {(item.kind.value, item.source): item.rpo_seconds for item in items} == {
        ("table-pitr", "orders"): 3600,
        ("configuration", "shop"): 3600,
        ("table-export", "orders"): week,
        ("template", "shop-production"): week,
        ("function-code", "checkout"): week,
        ("state-machine", "fulfilment"): week,
        ("object-inventory", "invoices"): week,
        ("system-state", "shop"): week,
    }


def test_a_bucket_that_is_no_resource_is_refused_by_name():
    with pytest.raises(
        ManifestError, match=r"backup\.buckets\.?\[?0\]?.*must name an s3-bucket of resources"
    ):
        load({**SHOP, "backup": {"buckets": ["invoice"]}}, {}, "production")


@pytest.mark.parametrize(("age", "met"), [(HOUR, True), (HOUR + timedelta(seconds=1), False)])
def test_a_point_is_recent_enough_up_to_its_objective(age: timedelta, met: bool):
    found = standing(PointKind.TABLE_PITR, point(PointKind.TABLE_PITR, age))

    assert (found.age_seconds, found.met) == (age.total_seconds(), met)


def test_what_is_not_catalogued_is_unknown_and_not_met():
    found = standing(PointKind.TEMPLATE)

    assert (found.point, found.age_seconds, found.met) == (None, None, False)
    assert found.why == "unknown: nothing is catalogued"


def test_a_point_of_the_future_is_unknown_and_not_met():
    found = standing(PointKind.TEMPLATE, point(PointKind.TEMPLATE, -HOUR))

    assert not found.met
    assert found.why.startswith("unknown")


def test_deep_storage_meets_no_objective():
    assert not standing(PointKind.TEMPLATE, point(PointKind.TEMPLATE, HOUR, Tier.DEEP)).met


# -- the configuration: what is lost are the changes that no snapshot holds

SNAPSHOT = point(PointKind.CONFIGURATION, 20 * HOUR)


def test_a_snapshot_of_yesterday_is_enough_where_nothing_has_changed():
    found = standing(PointKind.CONFIGURATION, SNAPSHOT)

    assert (found.age_seconds, found.met) == (0.0, True)


@pytest.mark.parametrize(("first", "met"), [(HOUR, True), (2 * HOUR, False)])
def test_a_change_has_to_be_in_a_snapshot_within_the_objective(first: timedelta, met: bool):
    changes = Changes(first=NOW - first, last=NOW)

    found = standing(PointKind.CONFIGURATION, SNAPSHOT, changes=changes)

    assert (found.age_seconds, found.met) == (first.total_seconds(), met)


def test_a_change_before_the_snapshot_is_in_it():
    changes = Changes(first=NOW - 22 * HOUR, last=NOW - 21 * HOUR)

    assert standing(PointKind.CONFIGURATION, SNAPSHOT, changes=changes).met


def test_without_its_daily_snapshot_nobody_knows_what_was_missed():
    found = standing(PointKind.CONFIGURATION, point(PointKind.CONFIGURATION, 27 * HOUR))

    assert not found.met
    assert "daily snapshot is missing" in found.why
