"""AWS::DynamoDB::Table sets up what its template says: capacity as numbers, TTL, PITR, on-demand maximum.

MiniStack stores capacity as the template's strings and drops the rest without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.cloudformation_shapes import typed
from sandbox.emulator.dynamodb_limits import is_provisioned
from sandbox.emulator.wrapping import original

TYPE = "AWS::DynamoDB::Table"

# Read by MiniStack or below. What is missing here fails the resource instead of being dropped.
KNOWN = frozenset(
    {
        "AttributeDefinitions",
        "BillingMode",
        "DeletionProtectionEnabled",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "OnDemandThroughput",
        "PointInTimeRecoverySpecification",
        "ProvisionedThroughput",
        "SSESpecification",
        "StreamSpecification",
        "TableName",
        "Tags",
        "TimeToLiveSpecification",
    }
)

_OWN_APIS = {
    "TimeToLiveSpecification": "_update_ttl",
    "PointInTimeRecoverySpecification": "_update_continuous_backups",
}

Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]


def install(_clock: SandboxClock) -> None:
    handler = original(provisioners, "_RESOURCE_HANDLERS")[TYPE]
    create, update = handler["create"], handler["update"]

    def create_whole(logical_id: str, properties: Properties, stack: str) -> Made:
        made: Made = create(logical_id, _checked(properties), stack)
        _apply(made[0], {}, properties)
        return made

    def update_whole(
        physical_id: str, old: Properties, new: Properties, stack: str, *logical_id: str
    ) -> Made:
        made: Made = update(physical_id, _checked(old), _checked(new), stack, *logical_id)
        _apply(made[0], old, new)
        return made

    handler |= {"create": create_whole, "update": update_whole}


def _checked(properties: Properties) -> Properties:
    """The properties with numbers as numbers. Raises ValueError for one that nobody here would read."""
    unknown = sorted(properties.keys() - KNOWN)
    if unknown:
        raise ValueError(f"Encountered unsupported property {unknown[0]}")
    checked = {**properties, **_with_numbers(properties)}
    if indexes := properties.get("GlobalSecondaryIndexes"):
        checked["GlobalSecondaryIndexes"] = [{**index, **_with_numbers(index)} for index in indexes]
    return checked


def _with_numbers(properties: Properties) -> Properties:
    return {
        name: {key: int(value) for key, value in properties[name].items()}
        for name in ("ProvisionedThroughput", "OnDemandThroughput")
        if properties.get(name)
    }


def _apply(table: str, old: Properties, new: Properties) -> None:
    """Settings that have an API of their own, and the defaults MiniStack gets wrong."""
    record = original(dynamodb, "_tables")[table]
    if not is_provisioned(record):
        none = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
        record["ProvisionedThroughput"] = dict(none)
        for index in record.get("GlobalSecondaryIndexes") or ():
            index["ProvisionedThroughput"] = dict(none)
    if new.get("OnDemandThroughput") != old.get("OnDemandThroughput"):
        unlimited = {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}
        given = _with_numbers(new).get("OnDemandThroughput", {})
        record["OnDemandThroughput"] = {**unlimited, **given}
    for name, operation in _OWN_APIS.items():
        if (setting := new.get(name)) and setting != old.get(name):
            _call(operation, {"TableName": table, name: typed("dynamodb", name, setting)})


def _call(operation: str, request: Properties) -> None:
    call: Callable[[Properties], tuple[int, Any, bytes]] = original(dynamodb, operation)
    status, _, body = call(request)
    if status >= 400:  # noqa: PLR2004 - HTTP
        raise ValueError(body.decode())
