"""A table's settings, those that a restore drops, and what differs between two tables.

A restore brings keys, indexes, billing mode, capacity and encryption back, and drops the rest. Source: DynamoDB API
Reference, RestoreTableToPointInTime ("You must manually set up the following on the restored table").
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
    resource_policy: str | None = None  # see `policy_text`; one that denies something is not put back
    # what it drops, and a restore test does not put back
    autoscaling: Mapping[str, str] = {}  # bounds by direction
    replicas: tuple[str, ...] = ()

    @property
    def key_names(self) -> tuple[str, ...]:
        """The attributes of the primary key, the partition key first."""
        return tuple(key.split(" ", 1)[0] for key in self.keys)


# Why a copy does not get them, and what there is to do after a real restore.
NOT_PUT_BACK = {
    "autoscaling": "scalable targets have no names, so the right to register one is the right to change any table's;"
    " register them by hand",
    "replicas": "a replica is a table of the same name in another region, at that region's price; add them by hand",
}
_DENIES = "it denies something, which could keep the copy from being deleted; put it by hand"
TABLE = "<table>"  # stands for the table's own ARN in a policy


def policy_text(policy: str, arn: str) -> str:
    """A resource policy in one spelling, with TABLE for the ARN of its table: so two tables' can be compared."""
    return json.dumps(json.loads(policy), sort_keys=True).replace(arn, TABLE)


def may_be_put_back(policy: str) -> bool:
    """Whether each statement only allows something."""
    statements = json.loads(policy).get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    return all(statement.get("Effect") == "Allow" for statement in listed)


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that people or their stack gave the table."""
    return {key: value for key, value in sorted(tags.items()) if not key.startswith(FOREIGN_TAGS)}


def differing(source: TableSettings, copy: TableSettings) -> dict[str, tuple[Any, Any]]:
    """By setting: the source's value and the copy's, where they differ. Those never put back are left out."""
    without = {*NOT_PUT_BACK, *unproven(source)}
    left = source.model_dump(exclude=without) | {"tags": own_tags(source.tags)}
    right = copy.model_dump(exclude=without) | {"tags": own_tags(copy.tags)}
    return {name: (left[name], right[name]) for name in left if left[name] != right[name]}


def unproven(source: TableSettings) -> dict[str, str]:
    """Settings that the source has and nobody put back on the copy, each with what it is and why."""
    told = {
        name: f"{_told(getattr(source, name))} was not put back: {why}"
        for name, why in NOT_PUT_BACK.items()
        if getattr(source, name)
    }
    if source.resource_policy and not may_be_put_back(source.resource_policy):
        told["resource_policy"] = f"it was not put back: {_DENIES}"
    return told


def _told(value: Mapping[str, str] | Sequence[str]) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {bounds}" for name, bounds in value.items())
    return ", ".join(value)
