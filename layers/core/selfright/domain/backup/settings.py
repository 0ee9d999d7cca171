"""A table's settings, those that a restore drops, and what differs between two tables.

A restore brings keys, indexes, billing mode, capacity and encryption back, and drops the rest. Source: DynamoDB API
Reference, RestoreTableToPointInTime ("You must manually set up the following on the restored table").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from selfright.domain.backup.verdict import FROZEN

# Tags that AWS or a restore test itself sets; nobody can put them back, or they are about the copy alone.
FOREIGN_TAGS = ("aws:", "selfright:restore-test")


class TableSettings(BaseModel):
    """How a table is set up. Empty or None: that setting is off.

    `keys` and `indexes` are spelled so that people can read a difference ("opportunity_id S HASH").
    """

    model_config = FROZEN

    # what a restore brings back
    keys: tuple[str, ...]
    indexes: Mapping[str, str] = {}
    billing_mode: str
    read_units: int | None = None
    write_units: int | None = None
    on_demand_maximum: str | None = None
    encryption: str = "AWS_OWNED"
    # what it drops, and a restore test puts back
    time_to_live: str | None = None  # attribute
    stream: str | None = None  # view type
    tags: Mapping[str, str] = {}
    point_in_time_recovery_days: int | None = None
    deletion_protection: bool = False
    table_class: str = "STANDARD"
    # what it drops, and a restore test does not put back
    autoscaling: Mapping[str, str] = {}  # bounds by direction
    resource_policy: str | None = None
    replicas: tuple[str, ...] = ()

    @property
    def key_names(self) -> tuple[str, ...]:
        """The attributes of the primary key, the partition key first."""
        return tuple(key.split(" ", 1)[0] for key in self.keys)


NOT_PUT_BACK = ("autoscaling", "resource_policy", "replicas")


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that people or their stack gave the table."""
    return {key: value for key, value in sorted(tags.items()) if not key.startswith(FOREIGN_TAGS)}


def differing(source: TableSettings, copy: TableSettings) -> dict[str, tuple[Any, Any]]:
    """By setting: the source's value and the copy's, where they differ. Those never put back are left out."""
    left = source.model_dump(exclude=set(NOT_PUT_BACK)) | {"tags": own_tags(source.tags)}
    right = copy.model_dump(exclude=set(NOT_PUT_BACK)) | {"tags": own_tags(copy.tags)}
    return {name: (left[name], right[name]) for name in left if left[name] != right[name]}


def unproven(source: TableSettings) -> tuple[str, ...]:
    """Settings that the source has and nobody put back on the copy: whether they can be is not known."""
    return tuple(name for name in NOT_PUT_BACK if getattr(source, name))
