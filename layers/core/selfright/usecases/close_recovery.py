"""Say how a recovery ended, throw away what was only a means, and give the lease back."""

from __future__ import annotations

from selfright.backup_ports import EvidenceBucket, TableBackups
from selfright.domain.backup.restore_test import ISOLATED
from selfright.domain.recovery.record import Recovery, Status
from selfright.domain.recovery.report import report, report_key
from selfright.domain.recovery.steps import Go, RecoverWord
from selfright.usecases.recovery_desk import POLL_SECONDS, Desk


def close_recovery(
    recovery_id: str, failure: str | None, *, desk: Desk, backups: TableBackups, bucket: EvidenceBucket
) -> RecoverWord:
    """What is not done to its last step is failed, never recovered. A repetition says the same.

    `failure` is set where a station failed for good. A table restored for good is left where it is: after a failure
    people may want it, and its name is on record. Raises SourceDownError.
    """
    recovery = desk.recoveries.find(recovery_id)
    if recovery is None:
        return RecoverWord(next=Go.BADLY, recovery=recovery_id)
    if recovery.ended_at is None:
        recovery = _ended(recovery, failure, desk)
        desk.recoveries.save(recovery)
    copy = recovery.copy_name
    if copy and copy.startswith(ISOLATED) and not backups.delete(copy):
        return RecoverWord(next=Go.CLOSE, recovery=recovery.id, wait=POLL_SECONDS)
    desk.leases.release(recovery.place, recovery.id)
    if recovery.cleaned_at is None:
        recovery = recovery.but(cleaned_at=desk.clock.now())
        bucket.write(report_key(recovery), report(recovery), "application/json")
        desk.recoveries.save(recovery)
    well = recovery.status in {Status.RECOVERED, Status.PLANNED}
    return RecoverWord(next=Go.WELL if well else Go.BADLY, recovery=recovery.id, status=recovery.status)


def _ended(recovery: Recovery, failure: str | None, desk: Desk) -> Recovery:
    why, status = recovery.why, recovery.status
    if failure:
        status, why = Status.FAILED, (*why, failure)
    elif status is Status.RUNNING and recovery.told_enough:
        status = Status.PLANNED
    elif status is Status.RUNNING and recovery.step is None and not recovery.asked.dry_run:
        status = Status.RECOVERED
    elif status is Status.RUNNING:
        status, why = Status.FAILED, (*why, "it ended before its last step")
    return recovery.but(status=status, why=why, ended_at=desk.clock.now())
