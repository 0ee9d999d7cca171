"""Recoveries in the ledger; and recovery points that back_up catalogued there."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from selfright.adapters import ledger_keys as keys
from selfright.adapters.aws import Aws, translated
from selfright.adapters.recovery_points import DynamoDBRecoveryPoints
from selfright.backup_ports import Item
from selfright.domain.backup.catalogue import PointKind, RecoveryPoint, Tier
from selfright.domain.errors import RefusedError
from selfright.domain.manifest import Environment
from selfright.domain.recovery.record import Recovery


class DynamoDBRecoveries:
    def __init__(self, aws: Aws, table: str) -> None:
        self._aws, self._table = aws, table

    def find(self, recovery: str) -> Recovery | None:
        with translated(f"reading recovery {recovery}"):
            item = self._client.get_item(
                TableName=self._table, Key=keys.recovery(recovery), ConsistentRead=True
            ).get("Item")
        return Recovery.model_validate_json(item["doc"]["S"]) if item else None

    def save(self, recovery: Recovery) -> None:
        asked = recovery.asked
        item = {
            **keys.recovery(recovery.id),
            "GSI1PK": {"S": keys.recoveries(asked.workload, asked.environment)},
            "GSI1SK": {"S": f"{recovery.began_at.isoformat()}#{recovery.id}"},
            "doc": {"S": recovery.model_dump_json()},
        }
        with translated(f"writing recovery {recovery.id}"):
            self._client.put_item(TableName=self._table, Item=item)

    def newest(self, workload: str, environment: Environment, limit: int) -> Sequence[Recovery]:
        with translated(f"reading the recoveries of {workload}"):
            found = self._client.query(
                TableName=self._table,
                IndexName=keys.INDEX,
                KeyConditionExpression="GSI1PK = :place",
                ExpressionAttributeValues={":place": {"S": keys.recoveries(workload, environment)}},
                ScanIndexForward=False,
                Limit=limit,
            )["Items"]
        return [Recovery.model_validate_json(item["doc"]["S"]) for item in found]

    @property
    def _client(self) -> Any:
        return self._aws.client("dynamodb")


class CataloguedState:
    """Recovery points by the catalogue, their bytes from the backup bucket."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._points = DynamoDBRecoveryPoints(aws, table)

    def newest(
        self, workload: str, environment: Environment, kind: PointKind, source: str, at: datetime
    ) -> RecoveryPoint | None:
        found = self._points.history(workload, environment, kind, source)
        usable = [point for point in found if point.taken_at <= at and point.tier is Tier.WARM]
        return max(usable, key=lambda point: point.taken_at, default=None)

    def read(self, point: RecoveryPoint) -> bytes:
        place = point.place
        version = {"VersionId": place.version} if place.version else {}
        with translated(f"reading s3://{place.bucket}/{place.key}"):
            answer = self._aws.client("s3").get_object(Bucket=place.bucket, Key=place.key, **version)
            body: bytes = answer["Body"].read()
        if hashlib.sha256(body).hexdigest() != point.sha256:
            wrong = f"s3://{place.bucket}/{place.key} is not what was catalogued: its sha256 differs"
            raise RefusedError(wrong)
        return body

    def items(self, point: RecoveryPoint) -> Iterator[Item]:
        from selfright.adapters.table_exports import S3Export
        from selfright.domain.digest.canonical import parse_line
        from selfright.domain.digest.parts import PartReader

        if not point.place.bucket or not point.place.key:
            raise RefusedError(f"the recovery point of {point.source} does not say where it lies")
        export = S3Export(self._aws, point.place.bucket, point.place.key.rpartition("/")[0])
        count = 0
        for part in export.manifest.parts:
            if part.name not in export.present:
                raise RefusedError(f"the export of {point.source} lacks {part.name}")
            for block in PartReader(export.read(part.name)):
                for line in block:
                    count += 1
                    yield _as_the_api_takes_it(parse_line(line))
        if count != point.details["items"]:
            raise RefusedError(
                f"the export of {point.source} holds {count} items, {point.details['items']} were kept"
            )


def _as_the_api_takes_it(item: Mapping[str, Any]) -> Item:
    """Exports spell bytes in base64; the API's own client wants the bytes."""
    return {name: _typed(value) for name, value in item.items()}


def _typed(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {kind: base64.b64decode(content)}
        case "BS":
            return {kind: [base64.b64decode(each) for each in content]}
        case "M":
            return {kind: {name: _typed(each) for name, each in content.items()}}
        case "L":
            return {kind: [_typed(each) for each in content]}
        case _:
            return {kind: content}
