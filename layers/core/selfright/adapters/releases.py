"""Releases and their logs in the ledger's table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from selfright.adapters import ledger_keys as keys
from selfright.adapters.aws import Aws, translated
from selfright.adapters.ledger_writes import FREE, Transactions, Write, time_text
from selfright.domain.errors import BusyError, NotFoundError
from selfright.domain.release import LogLine, Release, ReleaseFile

LINES_A_WRITE = 99  # TransactWriteItems takes 100 items, and one is the release


class DynamoDBReleaseLedger:
    def __init__(self, aws: Aws, table: str) -> None:
        self._aws, self._table = aws, table
        self._writes = Transactions(aws, table)

    def open(self, release: Release, line: LogLine) -> Release:
        try:
            self._write(release, None, line)
        except BusyError:
            return self.release(release.id)
        return release

    def release(self, release_id: str) -> Release:
        with translated(f"reading release {release_id}"):
            found = self._client.get_item(
                TableName=self._table, Key=keys.release(release_id), ConsistentRead=True
            )
        if "Item" not in found:
            raise NotFoundError(f"release {release_id} does not exist")
        return Release.model_validate_json(found["Item"]["doc"]["S"])

    def file(self, release_id: str) -> ReleaseFile:
        with translated(f"reading release {release_id}"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="PK = :pk",
                ExpressionAttributeValues={":pk": keys.release(release_id)["PK"]},
                ConsistentRead=True,
            )
            items = [item for page in pages for item in page["Items"]]
        log = [LogLine.model_validate_json(i["doc"]["S"]) for i in items if i["SK"]["S"].startswith(keys.LOG)]
        heads = [i for i in items if not i["SK"]["S"].startswith(keys.LOG)]
        if not heads:
            raise NotFoundError(f"release {release_id} does not exist")
        log.sort(key=lambda line: line.at)
        return ReleaseFile(release=Release.model_validate_json(heads[0]["doc"]["S"]), log=tuple(log))

    def releases(self, workload: str, environment: str, limit: int) -> Sequence[Release]:
        with translated(f"listing the releases of {workload}"):
            found = self._client.query(
                TableName=self._table,
                IndexName=keys.INDEX,
                KeyConditionExpression="GSI1PK = :pk",
                ExpressionAttributeValues={":pk": {"S": keys.releases(workload, environment)}},
                ScanIndexForward=False,
                Limit=limit,
            )
        return [Release.model_validate_json(item["doc"]["S"]) for item in found["Items"]]

    def since(self, workload: str, environment: str, start: datetime) -> Sequence[Release]:
        with translated(f"listing the releases of {workload}"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=keys.INDEX,
                KeyConditionExpression="GSI1PK = :pk AND GSI1SK >= :start",
                ExpressionAttributeValues={
                    ":pk": {"S": keys.releases(workload, environment)},
                    ":start": {"S": time_text(start)},
                },
                ScanIndexForward=False,
            )
            items = [item for page in pages for item in page["Items"]]
        return [Release.model_validate_json(item["doc"]["S"]) for item in items]

    def save(self, release: Release, *lines: LogLine) -> Release:
        after = release.but(seq=release.seq + 1)
        self._write(after, release.seq, *lines)
        return after

    def note(self, release_id: str, *lines: LogLine) -> None:
        self._transact(f"writing to the log of {release_id}", [self._put_line(release_id, n) for n in lines])

    def note_mending(self, workload: str, environment: str, line: LogLine) -> None:
        key = keys.mending(workload, environment, line.key)
        with translated(f"writing what was put right of {workload}"):
            self._client.put_item(TableName=self._table, Item={**key, "doc": {"S": line.model_dump_json()}})

    def mendings(self, workload: str, environment: str, limit: int) -> Sequence[LogLine]:
        with translated(f"listing what was put right of {workload}"):
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="PK = :pk AND begins_with(SK, :sk)",
                ExpressionAttributeValues={
                    ":pk": {"S": keys.workload(workload, environment)},
                    ":sk": {"S": keys.MENDING},
                },
                ConsistentRead=True,
                ScanIndexForward=False,
                Limit=limit,
            )
        return [LogLine.model_validate_json(item["doc"]["S"]) for item in found["Items"]]

    def _write(self, release: Release, seq: int | None, *lines: LogLine) -> None:
        """The release on top of `seq`, or as a new one."""
        put = self._writes.put(
            keys.release(release.id),
            release.model_dump_json(),
            FREE if seq is None else "seq = :seq",
            seq=release.seq,
            GSI1PK=keys.releases(release.request.workload, release.request.environment),
            GSI1SK=time_text(release.requested_at),
        )
        if seq is not None:
            put["Put"]["ExpressionAttributeValues"] = {":seq": {"N": str(seq)}}
        writes = [put, *(self._put_line(release.id, line) for line in lines[:LINES_A_WRITE])]
        self._transact(f"writing release {release.id}", writes)

    def _transact(self, doing: str, writes: list[Write]) -> None:
        if self._writes.transact(writes):
            raise BusyError(f"{doing}: somebody else wrote it meanwhile")

    def _put_line(self, release_id: str, line: LogLine) -> Write:
        return self._writes.put(keys.log_line(release_id, line.key), line.model_dump_json(), None)

    @property
    def _client(self) -> Any:
        return self._aws.client("dynamodb")
