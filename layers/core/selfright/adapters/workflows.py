"""Step Functions: start `respond` once per incident, and see how executions go."""

from __future__ import annotations

import json

from selfright.adapters.aws import Aws, translated
from selfright.domain.backup.steps import VerifyBackupInput
from selfright.domain.errors import ConflictError, NotFoundError


class StepFunctionsWorkflows:
    """An execution's name is taken for 90 days, so the incident's id as name starts it once."""

    def __init__(self, aws: Aws, respond_arn: str) -> None:
        self._aws, self._respond = aws, respond_arn

    def start(self, incident_id: str) -> None:
        try:
            with translated(f"starting respond for {incident_id}"):
                self._aws.client("stepfunctions").start_execution(
                    stateMachineArn=self._respond,
                    name=incident_id,
                    input=json.dumps({"incident_id": incident_id}),
                )
        except ConflictError:
            return

    def status(self, incident_id: str) -> str | None:
        execution = f"{self._respond.replace(':stateMachine:', ':execution:')}:{incident_id}"
        try:
            with translated(f"reading the execution of {incident_id}"):
                found = self._aws.client("stepfunctions").describe_execution(executionArn=execution)
        except NotFoundError:
            return None
        return str(found["status"])


class StepFunctionsExecutions:
    def __init__(self, aws: Aws, verify_backup_arn: str) -> None:
        self._aws, self._machine = aws, verify_backup_arn

    def start(self, name: str, asked: VerifyBackupInput) -> None:
        try:
            with translated(f"starting the restore test {name}"):
                self._aws.client("stepfunctions").start_execution(
                    stateMachineArn=self._machine, name=name, input=asked.model_dump_json()
                )
        except ConflictError:
            return

    def running(self, execution: str) -> bool:
        try:
            with translated(f"reading {execution}"):
                found = self._aws.client("stepfunctions").describe_execution(executionArn=execution)
        except NotFoundError:
            return False
        return bool(found["status"] in ("RUNNING", "PENDING_REDRIVE"))
