"""Point-in-time recovery of tables, switched on where a workload's manifest wants it."""

from __future__ import annotations

from selfright.adapters.aws import Aws, translated


class DynamoDBPointInTimeRecovery:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def switch_on(self, table: str) -> None:
        with translated(f"switching the recovery of table {table} on", changing=True):
            self._aws.client("dynamodb").update_continuous_backups(
                TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
