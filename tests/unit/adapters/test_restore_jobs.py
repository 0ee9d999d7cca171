"""Restore jobs as AWS Backup describes them, and the answer as its own model wants it."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.adapters.aws import Aws
from selfright.adapters.restore_jobs import BackupRestoreJobs, DynamoDBRestoredItems
from selfright.domain.backup.restore_job import RestoreJob, Validation
from selfright.domain.errors import NotFoundError, RefusedError, SourceDownError, ThrottledError
from tests.unit.adapters.conftest import Stubbed
from tests.unit.backup.test_validate_restore import JOB, RESTORED
from tests.unit.backup.world import TABLE

DESCRIBED = {
    "RestoreJobId": "job-1",
    "Status": "COMPLETED",
    "SourceResourceArn": f"arn:aws:dynamodb:eu-central-1:123456789012:table/{TABLE}",
    "CreatedResourceArn": f"arn:aws:dynamodb:eu-central-1:123456789012:table/{RESTORED}",
    "CreatedBy": {
        "RestoreTestingPlanArn": "arn:aws:backup:eu-central-1:123456789012:restore-testing-plan:n-1"
    },
}


@pytest.mark.parametrize(
    ("described", "job"),
    [
        ({}, JOB),
        ({"CreatedBy": {}}, JOB.model_copy(update={"of_a_test": False})),
        ({"ValidationStatus": "SUCCESSFUL"}, JOB.model_copy(update={"answered": True})),
        ({"ValidationStatus": "VALIDATING"}, JOB),
        (
            {"SourceResourceArn": "arn:aws:ec2:eu-central-1:123456789012:volume/vol-1"},
            JOB.model_copy(update={"source": None}),
        ),
    ],
)
def test_a_job_is_what_aws_backup_says_of_it(stubbed: Stubbed, described: dict[str, Any], job: RestoreJob):
    stubbed.answer("backup", "describe_restore_job", DESCRIBED | described, RestoreJobId="job-1")
    assert BackupRestoreJobs(stubbed.aws).find("job-1") == job


def test_the_answer_is_put_as_aws_backup_wants_it(stubbed: Stubbed):
    wanted = {
        "RestoreJobId": "job-1",
        "ValidationStatus": "FAILED",
        "ValidationStatusMessage": "x" * 1000,
    }
    stubbed.answer("backup", "put_restore_validation_result", {}, **wanted)
    BackupRestoreJobs(stubbed.aws).answer("job-1", Validation.FAILED, "x" * 5000)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ResourceNotFoundException", NotFoundError),
        ("ThrottlingException", ThrottledError),
        ("ServiceUnavailableException", SourceDownError),
        ("InvalidParameterValueException", RefusedError),
    ],
)
def test_what_aws_backup_refuses_has_our_names(stubbed: Stubbed, code: str, error: type[Exception]):
    stubbed.refuse("backup", "put_restore_validation_result", code)
    with pytest.raises(error):
        BackupRestoreJobs(stubbed.aws).answer("job-1", Validation.SUCCESSFUL, "good")


def test_the_first_items_of_a_restored_table_are_read(aws: Aws, table: str):
    client = aws.client("dynamodb")
    for number in range(5):
        client.put_item(TableName=table, Item={"PK": {"S": str(number)}, "SK": {"S": "x"}})
    items = DynamoDBRestoredItems(aws)
    assert len(list(items.some(table, 100))) == 5
    assert len(list(items.some(table, 3))) == 3
    with pytest.raises(NotFoundError):
        list(items.some("awsbackup-restore-test-gone", 3))
