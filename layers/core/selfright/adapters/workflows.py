"""Step Functions: start `respond` once per incident and `deploy` once per release, see how it goes; `undo` where it
went wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from selfright.adapters.aws import Aws, translated
from selfright.domain.backup.steps import VerifyBackupInput
from selfright.domain.errors import ConflictError, NotFoundError

if TYPE_CHECKING:  # intake loads this file: what it does not need, it does not import
    from selfright.domain.backup.run import BackUpInput


class StepFunctionsWorkflows:
    """An execution's name is taken for 90 days, so the incident's id as name starts it once.

    `undo_arn` is empty in rooms that undo nothing.
    """

    def __init__(self, aws: Aws, respond_arn: str, undo_arn: str = "") -> None:
        self._aws, self._respond, self._undo = aws, respond_arn, undo_arn

    def start(self, incident_id: str) -> None:
        self._start(self._respond, incident_id, {"incident_id": incident_id})

    def status(self, incident_id: str) -> str | None:
        return self._status(self._respond, incident_id)

    def undo(self, incident_id: str, attempt: int, failure: str) -> None:
        self._start(
            self._undo, incident_id, {"incident_id": incident_id, "attempt": attempt, "failure": failure}
        )

    def undoing(self, incident_id: str) -> str | None:
        return self._status(self._undo, incident_id)

    def _start(self, machine: str, incident_id: str, given: Mapping[str, str | int]) -> None:
        try:
            with translated(f"starting {_short(machine)} for {incident_id}"):
                self._aws.lean("stepfunctions").start_execution(
                    stateMachineArn=machine, name=incident_id, input=json.dumps(given)
                )
        except ConflictError:
            return

    def _status(self, machine: str, incident_id: str) -> str | None:
        execution = f"{machine.replace(':stateMachine:', ':execution:')}:{incident_id}"
        try:
            with translated(f"reading the {_short(machine)} execution of {incident_id}"):
                found = self._aws.lean("stepfunctions").describe_execution(executionArn=execution)
        except NotFoundError:
            return None
        return str(found["status"])


def _short(machine: str) -> str:
    """`respond`, of an ARN that ends in <stack>-respond."""
    return machine.rpartition(":")[2].rpartition("-")[2]


class StepFunctionsDeployments:
    """The release's id is its execution's name."""

    def __init__(self, aws: Aws, deploy_arn: str) -> None:
        self._aws, self._deploy = aws, deploy_arn

    def start(self, release_id: str) -> None:
        try:
            with translated(f"starting deploy for {release_id}"):
                self._aws.lean("stepfunctions").start_execution(
                    stateMachineArn=self._deploy,
                    name=release_id,
                    input=json.dumps({"release_id": release_id}),
                )
        except ConflictError:
            return


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


class StepFunctionsBackups:
    def __init__(self, aws: Aws, back_up_arn: str) -> None:
        self._aws, self._machine = aws, back_up_arn

    def start(self, name: str, asked: BackUpInput) -> None:
        try:
            with translated(f"starting the backup {name}"):
                self._aws.client("stepfunctions").start_execution(
                    stateMachineArn=self._machine, name=name, input=asked.model_dump_json()
                )
        except ConflictError:
            return
