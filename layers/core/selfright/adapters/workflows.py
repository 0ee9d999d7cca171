"""Step Functions: start `respond` once per incident and `deploy` once per release, see how it goes; `undo` where it
went wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import ConflictError, NotFoundError

if TYPE_CHECKING:  # intake loads this file: what it does not need, it does not import
    from selfright.domain.backup.run import BackUpInput
    from selfright.domain.backup.steps import VerifyBackupInput
    from selfright.domain.recovery.request import RecoverInput
    from selfright.domain.release.steps import Cause


class StepFunctionsWorkflows:
    """An execution's name is taken for 90 days, so the incident's id as name starts it once.

    `undo_arn` is empty in rooms that undo nothing.
    """

    def __init__(self, aws: Aws, respond_arn: str, undo_arn: str = "") -> None:
        self._aws, self._respond, self._undo = aws, respond_arn, undo_arn

    def start(self, incident_id: str) -> None:
        _start(self._aws, self._respond, incident_id, {"incident_id": incident_id})

    def status(self, incident_id: str) -> str | None:
        return _status(self._aws, self._respond, incident_id)

    def undo(self, incident_id: str, attempt: int, failure: str) -> None:
        given: Mapping[str, str | int] = {"incident_id": incident_id, "attempt": attempt, "failure": failure}
        _start(self._aws, self._undo, incident_id, given)

    def undoing(self, incident_id: str) -> str | None:
        return _status(self._aws, self._undo, incident_id)


class StepFunctionsDeployments:
    """The release's id is the name of its execution, and of the one that takes it back where that is lost.

    `roll_back_arn` is empty in rooms that only start releases.
    """

    def __init__(self, aws: Aws, deploy_arn: str, roll_back_arn: str = "") -> None:
        self._aws, self._deploy, self._roll_back = aws, deploy_arn, roll_back_arn

    def start(self, release_id: str) -> None:
        _start(self._aws, self._deploy, release_id, {"release_id": release_id})

    def status(self, release_id: str) -> str | None:
        return _status(self._aws, self._deploy, release_id)

    def take_back(self, release_id: str, reason: str, actor: str) -> None:
        from selfright.domain.release import StopReason

        given = _going_back(release_id, reason, actor, StopReason.EXECUTION_LOST)
        _start(self._aws, self._roll_back, release_id, given)

    def taking_back(self, release_id: str) -> str | None:
        return _status(self._aws, self._roll_back, release_id)


class StepFunctionsRollBacks:
    """Whoever decides it first, alarm or incident: the execution's name is the release's, so one goes back once."""

    def __init__(self, aws: Aws, roll_back_arn: str) -> None:
        self._aws, self._roll_back = aws, roll_back_arn

    def start(self, release_id: str, reason: str, actor: str, cause: Cause) -> None:
        given = _going_back(release_id, reason, actor, cause)
        _start(self._aws, self._roll_back, f"{release_id}-back", given)


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


class StepFunctionsDrills:
    def __init__(self, aws: Aws, recover_arn: str) -> None:
        self._aws, self._machine = aws, recover_arn

    def start(self, name: str, asked: RecoverInput) -> None:
        try:
            with translated(f"starting the drill {name}"):
                self._aws.client("stepfunctions").start_execution(
                    stateMachineArn=self._machine, name=name, input=asked.model_dump_json()
                )
        except ConflictError:
            return


def _going_back(release_id: str, reason: str, actor: str, cause: Cause) -> dict[str, Any]:
    """Input of `roll_back`."""
    # Rooms that start nothing need not build these models.
    from selfright.domain.release.steps import NOBODY, RollBackInput

    given = RollBackInput(
        release_id=release_id, reason=reason[:1000], actor=actor[:200], cause=cause, to=NOBODY
    )
    return given.model_dump(mode="json")


def _start(aws: Aws, machine: str, name: str, given: Mapping[str, Any]) -> None:
    """Once: the name is taken then."""
    try:
        with translated(f"starting {_short(machine)} for {name}"):
            aws.lean("stepfunctions").start_execution(
                stateMachineArn=machine, name=name, input=json.dumps(given)
            )
    except ConflictError:
        return


def _status(aws: Aws, machine: str, name: str) -> str | None:
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    try:
        with translated(f"reading the {_short(machine)} execution of {name}"):
            found = aws.lean("stepfunctions").describe_execution(executionArn=execution)
    except NotFoundError:
        return None
    return str(found["status"])


def _short(machine: str) -> str:
    """`respond`, of an ARN that ends in <stack>-respond."""
    return machine.rpartition(":")[2].rpartition("-")[2]
