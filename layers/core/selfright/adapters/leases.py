"""Leases on targets, as conditional writes in the ledger's table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from selfright.adapters import ledger_keys as keys
from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import ConflictError


class DynamoDBLeases:
    """The item stays after a release, so that the fencing token only grows."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws, self._table = aws, table

    def holder(self, target: str, now: datetime) -> str | None:
        item = self._get(keys.lease(target))
        if not item or not item["owner"]["S"] or float(item["until"]["N"]) <= now.timestamp():
            return None
        return str(item["owner"]["S"])

    def acquire(self, target: str, owner: str, until: datetime, now: datetime) -> int:
        with translated(f"the lease of {target} for {owner}"):
            changed = self._client.update_item(
                TableName=self._table,
                Key=keys.lease(target),
                UpdateExpression="SET #owner = :owner, #until = :until ADD fence :one",
                ConditionExpression="attribute_not_exists(PK) OR #owner IN (:owner, :nobody) OR #until <= :now",
                ExpressionAttributeNames={"#owner": "owner", "#until": "until"},
                ExpressionAttributeValues={
                    ":owner": {"S": owner},
                    ":nobody": {"S": ""},
                    ":until": {"N": repr(until.timestamp())},
                    ":now": {"N": repr(now.timestamp())},
                    ":one": {"N": "1"},
                },
                ReturnValues="UPDATED_NEW",
            )
        return int(changed["Attributes"]["fence"]["N"])

    def release(self, target: str, owner: str) -> None:
        try:
            with translated(f"releasing the lease of {target}"):
                self._client.update_item(
                    TableName=self._table,
                    Key=keys.lease(target),
                    UpdateExpression="SET #owner = :nobody",
                    ConditionExpression="#owner = :owner",
                    ExpressionAttributeNames={"#owner": "owner"},
                    ExpressionAttributeValues={":owner": {"S": owner}, ":nobody": {"S": ""}},
                )
        except ConflictError:
            return

    def lapsed(self, target: str, now: datetime) -> str | None:
        item = self._get(keys.lease(target))
        if not item or not item["owner"]["S"] or float(item["until"]["N"]) > now.timestamp():
            return None
        return str(item["owner"]["S"])

    def last_action_at(self, target: str, other_than: str) -> datetime | None:
        item = self._get(keys.last_action(target))
        if not item or item["incident"]["S"] == other_than:
            return None
        return datetime.fromisoformat(item["at"]["S"])

    def _get(self, key: keys.Key) -> dict[str, Any] | None:
        with translated(f"reading {key['PK']['S']}"):
            found: dict[str, Any] = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return found.get("Item")

    @property
    def _client(self) -> Any:
        return self._aws.lean("dynamodb")
