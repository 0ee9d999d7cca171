"""AWS Backup's restore jobs, and what its restore testing restored."""

from __future__ import annotations

from collections.abc import Iterator

from selfright.adapters.aws import Aws, translated
from selfright.backup_ports import Item
from selfright.domain.backup.restore_job import RestoreJob, Validation

LONGEST = 1000  # characters of a message; AWS documents no limit


class BackupRestoreJobs:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def find(self, job: str) -> RestoreJob:
        with translated(f"reading restore job {job}"):
            found = self._aws.client("backup").describe_restore_job(RestoreJobId=job)
        return RestoreJob(
            id=found["RestoreJobId"],
            status=found["Status"],
            source=_table(found.get("SourceResourceArn", "")),
            created=_table(found.get("CreatedResourceArn", "")),
            of_a_test="RestoreTestingPlanArn" in found.get("CreatedBy", {}),
            answered=found.get("ValidationStatus") in set(Validation),
        )

    def answer(self, job: str, status: Validation, message: str) -> None:
        with translated(f"answering restore job {job}", changing=True):
            self._aws.client("backup").put_restore_validation_result(
                RestoreJobId=job, ValidationStatus=status.value, ValidationStatusMessage=message[:LONGEST]
            )


class DynamoDBRestoredItems:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def some(self, table: str, limit: int) -> Iterator[Item]:
        pages = self._aws.client("dynamodb").get_paginator("scan")
        with translated(f"reading table {table}"):
            for page in pages.paginate(TableName=table, PaginationConfig={"MaxItems": limit}):
                yield from page["Items"]


def _table(arn: str) -> str | None:
    """A table's name from its ARN; None for anything else."""
    before, is_table, name = arn.partition(":table/")
    return name if is_table and ":dynamodb:" in before else None
