"""Restore tests in the ledger, their evidence in the bucket, and the items that drills put faults into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selfright.adapters import ledger_keys as keys
from selfright.adapters.aws import Aws, translated
from selfright.backup_ports import Item
from selfright.domain.backup.history import Measured
from selfright.domain.backup.restore_test import ISOLATED, RestoreTest
from selfright.domain.errors import ConflictError


class DynamoDBRestoreTests:
    def __init__(self, aws: Aws, table: str) -> None:
        self._aws, self._table = aws, table

    def find(self, test: str) -> RestoreTest | None:
        item = self._get(keys.restore_test(test))
        return RestoreTest.model_validate_json(item["doc"]["S"]) if item else None

    def save(self, test: RestoreTest) -> None:
        with translated(f"writing restore test {test.id}"):
            self._client.put_item(TableName=self._table, Item=_item(test))

    def newest_hash(self, workload: str, environment: str) -> str | None:
        item = self._get(keys.evidence(workload, environment))
        return item["hash"]["S"] if item else None

    def history(self, workload: str, environment: str, resource: str, limit: int) -> Sequence[Measured]:
        key = keys.restored(workload, environment, resource, "")
        with translated("reading the ledger"):
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="PK = :pk AND begins_with(SK, :sk)",
                ExpressionAttributeValues={":pk": key["PK"], ":sk": key["SK"]},
                ScanIndexForward=False,
                Limit=limit,
                ConsistentRead=True,
            )["Items"]
        return [Measured.model_validate_json(item["doc"]["S"]) for item in found]

    def conclude(
        self, test: RestoreTest, measured: Measured | None, previous: str | None, newest: str
    ) -> None:
        link: dict[str, Any] = {
            "TableName": self._table,
            "Item": {**keys.evidence(test.workload, test.environment), "hash": {"S": newest}},
            "ConditionExpression": "attribute_not_exists(PK)",
        }
        if previous is not None:
            link |= {
                "ConditionExpression": "#hash = :previous",
                "ExpressionAttributeNames": {"#hash": "hash"},
                "ExpressionAttributeValues": {":previous": {"S": previous}},
            }
        items = [_item(test)]
        if measured:
            moment = f"{measured.ended_at:%Y-%m-%dT%H:%M:%SZ}#{test.id}"
            key = keys.restored(test.workload, test.environment, test.resource, moment)
            items.append({**key, "doc": {"S": measured.model_dump_json()}})
        records = [{"Put": {"TableName": self._table, "Item": item}} for item in items]
        client = self._client
        with translated(f"linking the evidence of {test.id}"):
            try:
                client.transact_write_items(TransactItems=[{"Put": link}, *records])
            except client.exceptions.TransactionCanceledException as error:
                reasons = [reason["Code"] for reason in error.response["CancellationReasons"]]
                if reasons[0] == "ConditionalCheckFailed":
                    raise ConflictError(
                        f"evidence of {test.workload} came before that of {test.id}"
                    ) from error
                raise

    @property
    def _client(self) -> Any:
        return self._aws.client("dynamodb")

    def _get(self, key: keys.Key) -> dict[str, dict[str, str]] | None:
        with translated("reading the ledger"):
            found: dict[str, dict[str, str]] | None = self._client.get_item(
                TableName=self._table, Key=key, ConsistentRead=True
            ).get("Item")
        return found


def _item(test: RestoreTest) -> dict[str, dict[str, str]]:
    return {**keys.restore_test(test.id), "doc": {"S": test.model_dump_json()}}


class S3EvidenceBucket:
    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws, self._bucket = aws, bucket

    def write(self, key: str, text: str, content_type: str) -> None:
        with translated(f"writing {key}"):
            self._aws.client("s3").put_object(
                Bucket=self._bucket, Key=key, Body=text.encode(), ContentType=content_type
            )


class DynamoDBCopiedItems:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def first(self, copy: str) -> Item | None:
        with translated(f"reading table {copy}"):
            found = self._aws.client("dynamodb").scan(TableName=copy, Limit=1, ConsistentRead=True)["Items"]
        return found[0] if found else None

    def put(self, copy: str, item: Item) -> None:
        with translated(f"writing to table {_ours(copy)}", changing=True):
            self._aws.client("dynamodb").put_item(TableName=copy, Item=item)

    def remove(self, copy: str, key: Item) -> None:
        with translated(f"deleting from table {_ours(copy)}", changing=True):
            self._aws.client("dynamodb").delete_item(TableName=copy, Key=key)


class DynamoDBSentinels:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def write(self, table: str, item: Item) -> None:
        with translated(f"writing the sentinel of table {table}", changing=True):
            self._aws.client("dynamodb").put_item(TableName=table, Item=item)


def _ours(copy: str) -> str:
    """A copy's name, or ValueError: whatever else goes wrong, no fault is put into a live table."""
    if not copy.startswith(ISOLATED):
        raise ValueError(f"{copy} is no copy of ours")
    return copy
