"""A restore test of a small table, as it is when everything went well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from selfright.domain.backup.comparison import Comparison
from selfright.domain.backup.restore_test import RestoreTest
from selfright.domain.backup.settings import TableSettings

BEGAN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def a_test(**changes: Any) -> RestoreTest:
    known: dict[str, Any] = {
        "id": "rt-0123456789ab",
        "execution": "arn:aws:states:eu-central-1:123456789012:execution:verify:nightly",
        "workload": "shop",
        "environment": "production",
        "resource": "orders",
        "table": "shop-production-orders",
        "copy_name": "selfright-restore-rt-0123456789ab-shop-production-orders",
        "began_at": BEGAN,
        "point": BEGAN - timedelta(minutes=5),
        "restored_at": BEGAN + timedelta(minutes=25),
        "settings_began_at": BEGAN + timedelta(minutes=30),
        "set_up_at": BEGAN + timedelta(minutes=30, seconds=4),
    }
    return RestoreTest(**known | changes)


def settings(**changes: Any) -> TableSettings:
    known: dict[str, Any] = {
        "keys": ("order_id S HASH",),
        "indexes": {"by-state": "state S HASH, ALL"},
        "billing_mode": "PROVISIONED",
        "read_units": 5,
        "write_units": 5,
        "time_to_live": "expires",
        "stream": "NEW_IMAGE",
        "tags": {"team": "blue"},
        "point_in_time_recovery_days": 35,
        "deletion_protection": True,
    }
    return TableSettings(**known | changes)


def compared(**changes: Any) -> Comparison:
    return Comparison(**{"source_items": 3, "copy_items": 3} | changes)
