"""The catalogue of recovery points, runs of back_up and pending changes, in the ledger's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from selfright.adapters import ledger_keys as keys
from selfright.adapters.aws import Aws, translated
from selfright.domain.backup.catalogue import Changes, RecoveryPoint, Tier
from selfright.domain.backup.run import BackupRun
from selfright.domain.errors import ConflictError

KEPT = timedelta(days=2557)  # seven years, as long as the bucket's lifecycle keeps the objects


class _OfTheLedger:
    def __init__(self, aws: Aws, table: str) -> None:
        self._aws, self._table = aws, table

    @property
    def _client(self) -> Any:
        return self._aws.client("dynamodb")

    def _get(self, key: keys.Key) -> dict[str, dict[str, str]] | None:
        with translated("reading the ledger"):
            found: dict[str, dict[str, str]] | None = self._client.get_item(
                TableName=self._table, Key=key, ConsistentRead=True
            ).get("Item")
        return found


class DynamoDBRecoveryPoints(_OfTheLedger):
    def record(self, point: RecoveryPoint) -> None:
        expires = int((point.run_began_at + KEPT).timestamp())
        key = keys.point(
            point.workload, point.environment, _item(point), point.run_began_at.isoformat(), point.run
        )
        with translated(f"cataloguing {_item(point)}"):
            self._client.put_item(
                TableName=self._table,
                Item={**key, "doc": {"S": point.model_dump_json()}, "expires": {"N": str(expires)}},
            )
        if point.tier is Tier.WARM:
            self.record_newest(point)

    def record_newest(self, point: RecoveryPoint) -> None:
        taken_at = {"N": repr(point.taken_at.timestamp())}
        try:
            with translated(f"cataloguing {_item(point)}"):
                self._client.put_item(
                    TableName=self._table,
                    Item={
                        **keys.newest_point(point.workload, point.environment, _item(point)),
                        "doc": {"S": point.model_dump_json()},
                        "taken_at": taken_at,
                    },
                    ConditionExpression="attribute_not_exists(PK) OR taken_at <= :taken_at",
                    ExpressionAttributeValues={":taken_at": taken_at},
                )
        except ConflictError:
            return  # a later one is there already

    def newest(self, workload: str, environment: str) -> Sequence[RecoveryPoint]:
        return list(self._query(keys.points(workload, environment), keys.NEWEST))

    def history(self, workload: str, environment: str, kind: str, source: str) -> Sequence[RecoveryPoint]:
        prefix = f"{keys.POINT}{kind}#{source}#"
        return list(self._query(keys.points(workload, environment), prefix))

    def _query(self, partition: str, prefix: str) -> Iterator[RecoveryPoint]:
        """Newest run first."""
        with translated("reading the catalogue"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="PK = :pk AND begins_with(SK, :prefix)",
                ExpressionAttributeValues={":pk": {"S": partition}, ":prefix": {"S": prefix}},
                ScanIndexForward=False,
                ConsistentRead=True,
            )
            for page in pages:
                for item in page["Items"]:
                    yield RecoveryPoint.model_validate_json(item["doc"]["S"])


def _item(point: RecoveryPoint) -> str:
    return f"{point.kind}#{point.source}"


class DynamoDBConfigurationChanges(_OfTheLedger):
    def mark(self, workload: str, environment: str, at: datetime) -> None:
        try:
            with translated(f"writing down a change of {workload}"):
                self._update(
                    workload,
                    environment,
                    "SET #last = :at, #first = if_not_exists(#first, :at)",
                    "attribute_not_exists(PK) OR #last <= :at",
                    at,
                )
        except ConflictError:
            return  # one that was heard of at the same time is on record, and is a little later

    def covered(self, workload: str, environment: str, until: datetime) -> None:
        key = keys.configuration_changes(workload, environment)
        moment = {":at": {"N": repr(until.timestamp())}}
        try:
            with translated(f"writing down a snapshot of {workload}"):
                self._client.delete_item(
                    TableName=self._table,
                    Key=key,
                    ConditionExpression="attribute_not_exists(PK) OR #last <= :at",
                    ExpressionAttributeNames={"#last": "last"},
                    ExpressionAttributeValues=moment,
                )
        except ConflictError:  # another change came while it was read; those before it are safe
            try:
                with translated(f"writing down a snapshot of {workload}"):
                    self._update(workload, environment, "SET #first = :at", "#first < :at", until, last=False)
            except ConflictError:
                return

    def pending(self, workload: str, environment: str) -> Changes | None:
        found = self._get(keys.configuration_changes(workload, environment))
        if found is None:
            return None
        first, last = (datetime.fromtimestamp(float(found[name]["N"]), UTC) for name in ("first", "last"))
        return Changes(first=first, last=last)

    def _update(
        self,
        workload: str,
        environment: str,
        expression: str,
        condition: str,
        at: datetime,
        *,
        last: bool = True,
    ) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=keys.configuration_changes(workload, environment),
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#first": "first", **({"#last": "last"} if last else {})},
            ExpressionAttributeValues={":at": {"N": repr(at.timestamp())}},
        )


class DynamoDBBackupRuns(_OfTheLedger):
    def find(self, run: str) -> BackupRun | None:
        item = self._get(keys.backup_run(run))
        return BackupRun.model_validate_json(item["doc"]["S"]) if item else None

    def save(self, run: BackupRun) -> None:
        expires = int((run.began_at + KEPT).timestamp())
        with translated(f"writing backup run {run.id}"):
            self._client.put_item(
                TableName=self._table,
                Item={
                    **keys.backup_run(run.id),
                    "doc": {"S": run.model_dump_json()},
                    "expires": {"N": str(expires)},
                },
            )
