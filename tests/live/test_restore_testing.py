"""AWS Backup's restore testing, asked of AWS itself: a job that a plan has completed gets its answer."""

from __future__ import annotations

import json
import os

import pytest

from tests.live.conftest import Account, eventually


def test_a_completed_restore_test_is_validated(account: Account):
    job = os.environ.get("SELFRIGHT_RESTORE_JOB")
    if not job:
        pytest.skip("needs a restore testing plan: set SELFRIGHT_RESTORE_JOB to a job that it completed")
    backup = account.client("backup")
    described = backup.describe_restore_job(RestoreJobId=job)
    assert described["CreatedBy"]["RestoreTestingPlanArn"]
    stack = os.environ.get("SELFRIGHT_STACK", "selfright-dev")
    room = account.client("cloudformation").describe_stack_resource(
        StackName=stack, LogicalResourceId="ValidateRestore"
    )["StackResourceDetail"]["PhysicalResourceId"]
    event = {
        "source": "aws.backup",
        "detail-type": "Restore Job State Change",
        "detail": {"restoreJobId": job},
    }

    account.client("lambda").invoke(FunctionName=room, Payload=json.dumps(event).encode())

    def answered() -> str | None:
        status: str = backup.describe_restore_job(RestoreJobId=job).get("ValidationStatus", "")
        return status if status in {"SUCCESSFUL", "FAILED"} else None

    assert eventually(answered, 60.0)
