"""Delete copies whose restore test or recovery is over: one that was stopped leaves its table behind."""

from __future__ import annotations

from pydantic import BaseModel

from selfright.backup_ports import Executions, RestoreTests, TableBackups
from selfright.domain.backup.restore_test import made_by
from selfright.domain.backup.verdict import FROZEN
from selfright.domain.recovery.record import recovery_of
from selfright.restoring_ports import Recoveries


class Swept(BaseModel):
    """Names of copies: of tests that are over, and those among them that are gone now."""

    model_config = FROZEN

    left_behind: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


def sweep_restores(
    *, backups: TableBackups, tests: RestoreTests, recoveries: Recoveries, executions: Executions
) -> Swept:
    """Ask for the deletion of every copy of ours that nobody works on; what takes a while is done by a later sweep.

    A copy whose test or recovery is not in our ledger belongs to another deployment in this account, and is left alone.
    Raises SourceDownError.
    """
    left, deleted = [], []
    for copy in backups.copies():
        made, recovered = made_by(copy), recovery_of(copy)
        known = tests.find(made) if made else recoveries.find(recovered) if recovered else None
        if known is None or executions.running(known.execution):
            continue
        left.append(copy)
        if backups.delete(copy):
            deleted.append(copy)
    return Swept(left_behind=tuple(left), deleted=tuple(deleted))
