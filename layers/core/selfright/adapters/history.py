"""What the gates remember, read from the ledger's table: changes to targets, alarms' changes, budgets, storms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from selfright.adapters import ledger_keys as keys
from selfright.adapters.aws import Aws, translated
from selfright.adapters.queries import queried
from selfright.domain.budget import Counted
from selfright.domain.errors import ConflictError
from selfright.domain.gates import Change, Troubles

COUNTED = TypeAdapter(tuple[Counted, ...])


class DynamoDBHistory:
    """Every look is a consistent read: an answer that is a moment old would let one change too many pass."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws, self._table = aws, table

    def changes(self, target: str) -> Sequence[Change]:
        items = self._query(keys.change(target, "", 0)["PK"], keys.CHANGE)
        return [Change.model_validate_json(item["doc"]["S"]) for item in items]

    def alarm_changes(self, alarm_arn: str, since: datetime) -> Sequence[datetime]:
        # Time to live deletes within days, not at once: what is older is not fetched.
        first = f"{keys.AT}{since.astimezone(UTC).isoformat(timespec='milliseconds')}"
        items = self._query(keys.alarm_change(alarm_arn, "", "")["PK"], keys.AT, first)
        return [datetime.fromisoformat(item["at"]["S"]) for item in items]

    def counted(self, workload: str, environment: str) -> Sequence[Counted]:
        with translated(f"reading the budget of {workload}"):
            found = self._client.get_item(
                TableName=self._table, Key=keys.budget(workload, environment), ConsistentRead=True
            )
        return COUNTED.validate_json(found["Item"]["doc"]["S"]) if "Item" in found else ()

    def troubles(self, workload: str, environment: str) -> Troubles:
        problems, declared_by = {}, None
        for item in self._query({"S": keys.workload(workload, environment)}, keys.TROUBLE):
            if item["SK"]["S"] == keys.STORM:
                declared_by = item["incident"]["S"]
            else:
                problems[item["SK"]["S"].removeprefix(keys.TROUBLE)] = item["resource"]["S"]
        return Troubles(problems=problems, declared_by=declared_by)

    def declare_storm(self, workload: str, environment: str, incident_id: str, now: datetime) -> None:
        try:
            with translated(f"declaring a storm for {workload}"):
                self._client.put_item(
                    TableName=self._table,
                    Item={
                        **keys.storm(workload, environment),
                        "incident": {"S": incident_id},
                        "at": {"S": now.isoformat()},
                    },
                    ConditionExpression="attribute_not_exists(PK)",
                )
        except ConflictError:
            return  # somebody else declared it, and tells people

    def end_storm(self, workload: str, environment: str) -> None:
        with translated(f"ending the storm of {workload}"):
            self._client.delete_item(TableName=self._table, Key=keys.storm(workload, environment))

    def _query(self, pk: dict[str, str], prefix: str, first: str = "") -> list[dict[str, Any]]:
        """The items whose sort key begins with `prefix`, from the key `first` on."""
        with translated(f"reading {pk['S']}"):
            found = queried(
                self._client,
                TableName=self._table,
                KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": pk,
                    ":first": {"S": first or prefix},
                    ":last": {"S": f"{prefix}~"},  # after every character of our keys
                },
                ConsistentRead=True,
            )
            return list(found)

    @property
    def _client(self) -> Any:
        return self._aws.lean("dynamodb")
