"""Delete the isolated copy, however the test went, and say how it ended."""

from __future__ import annotations

from selfright.backup_ports import RestoreTests, TableBackups
from selfright.domain.backup.steps import Next, RestoreStepResult
from selfright.ports import Clock
from selfright.usecases.restore_backup import POLL_SECONDS


def clean_up_restore(
    test_id: str, *, backups: TableBackups, tests: RestoreTests, clock: Clock
) -> RestoreStepResult:
    """Wait until the copy is gone; then the verdict decides whether people are to hear of it.

    A test that was never written down has made no copy. Raises SourceDownError.
    """
    test = tests.find(test_id)
    if test is None:
        return RestoreStepResult(next=Next.ALARM, test=test_id)
    if not backups.delete(test.copy_name):
        return RestoreStepResult(next=Next.WAIT, test=test.id, wait=POLL_SECONDS)
    if test.cleaned_at is None:
        tests.save(test.model_copy(update={"cleaned_at": clock.now()}))
    end = Next.HOPED if test.as_hoped else Next.ALARM
    return RestoreStepResult(next=end, test=test.id, verdict=test.verdict)
