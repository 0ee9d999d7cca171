"""Items of live tables, read as they are and changed only where they are as they were seen."""

from __future__ import annotations

import base64
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.backup_ports import Item
from selfright.domain.errors import RefusedError

# DynamoDB allows 300 operators in an expression, and 4 KB of it; each attribute takes one, and "AND" another.
MOST_ATTRIBUTES = 140


class DynamoDBLiveItems:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def read(self, table: str, key: Item) -> Item | None:
        with translated(f"reading an item of {table}"):
            found: Item | None = self._client.get_item(
                TableName=table, Key=_plain(key), ConsistentRead=True
            ).get("Item")
        return found

    def put(self, table: str, key: Item, item: Item, seen: Item | None) -> None:
        with translated(f"putting an item back in {table}", changing=True):
            self._client.put_item(TableName=table, Item=item, **_as_seen(key, seen, item))

    def remove(self, table: str, key: Item, seen: Item) -> None:
        with translated(f"removing an item of {table}", changing=True):
            self._client.delete_item(TableName=table, Key=_plain(key), **_as_seen(key, seen, {}))

    @property
    def _client(self) -> Any:
        return self._aws.client("dynamodb")


def _as_seen(key: Item, seen: Item | None, wanted: Item) -> dict[str, Any]:
    """The condition that nobody has written the item since.

    An attribute that neither has, and somebody adds between reading and writing, is not noticed: a condition can
    only speak of attributes by name.
    """
    if seen is None:
        names = {"#0": next(iter(key))}
        return {"ConditionExpression": "attribute_not_exists(#0)", "ExpressionAttributeNames": names}
    fresh = [name for name in wanted if name not in seen]
    if len(seen) + len(fresh) > MOST_ATTRIBUTES:
        raise RefusedError(
            f"an item of more than {MOST_ATTRIBUTES} attributes cannot be changed conditionally"
        )
    same = [f"#{n} = :{n}" for n in range(len(seen))]
    absent = [f"attribute_not_exists(#{n})" for n in range(len(seen), len(seen) + len(fresh))]
    return {
        "ConditionExpression": " AND ".join((*same, *absent)),
        "ExpressionAttributeNames": {f"#{n}": name for n, name in enumerate((*seen, *fresh))},
        "ExpressionAttributeValues": {f":{n}": value for n, value in enumerate(seen.values())},
    }


def _plain(key: Item) -> dict[str, Any]:
    """A key as exports spell it, as the API takes it: bytes are bytes there."""
    return {
        name: {"B": base64.b64decode(value["B"])} if isinstance(value.get("B"), str) else dict(value)
        for name, value in key.items()
    }
