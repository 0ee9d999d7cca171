"""Restore a table under another name, have both exported, and put back what a restore drops."""

from __future__ import annotations

from selfright.backup_ports import TableBackups, TableExports
from selfright.domain.backup.settings import differing, unproven
from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.domain.recovery.record import Act, Recovery, table_name
from selfright.domain.recovery.request import Mode
from selfright.domain.recovery.steps import RecoverWord
from selfright.usecases.recovery_desk import POLL_SECONDS, Desk


def recover_table(
    recovery_id: str, *, desk: Desk, backups: TableBackups, exports: TableExports
) -> RecoverWord:
    """Take the next step, or wait for AWS. The source is only read, restored from and exported.

    Raises NotFoundError where there is no such recovery, SourceDownError.
    """
    recovery = desk.open(recovery_id)
    step = recovery.step
    if step is None or step.act.room != "table" or not recovery.source or not recovery.copy_name:
        return desk.word(recovery)
    if against := desk.against(recovery):
        return desk.stop(recovery, against)
    wanted = table_name(recovery.id, recovery.source, isolated=recovery.throwaway)
    if recovery.copy_name != wanted:  # nothing else may be restored to, set up or thrown away
        return desk.stop(recovery, (f"{recovery.copy_name} is not the name of its copy",))
    try:
        if step.act is Act.RESTORE:
            return _restore(recovery, recovery.source, recovery.copy_name, desk, backups)
        if step.act is Act.EXPORT:
            return _export(recovery, recovery.source, recovery.copy_name, desk, backups, exports)
        return _set_up(recovery, recovery.copy_name, desk, backups)
    except BusyError:
        return desk.word(recovery, POLL_SECONDS)
    except (RefusedError, NotFoundError) as refused:
        return desk.stop(recovery, (str(refused),))


def _restore(recovery: Recovery, source: str, copy: str, desk: Desk, backups: TableBackups) -> RecoverWord:
    point = recovery.point
    if point is None:
        raise RefusedError("a table needs a point in time")
    if recovery.source_settings is None:  # a restore takes those of the moment when it is asked for
        recovery = recovery.but(source_settings=backups.settings(source))
        desk.recoveries.save(recovery)
    try:
        ready = backups.ready(copy)
    except NotFoundError:
        window, ready = backups.window(source), False
        if (
            window is None or window.latest >= point
        ):  # else DynamoDB is not there yet: some five minutes behind
            backups.restore(source, copy, point)
    if not ready:
        return desk.word(recovery, POLL_SECONDS)
    return desk.done(recovery.but(state_at=point), Act.RESTORE, f"restored to {copy}")


def _export(  # noqa: PLR0917 - two tables, and three who deal with them
    recovery: Recovery, source: str, copy: str, desk: Desk, backups: TableBackups, exports: TableExports
) -> RecoverWord:
    """In place the source is compared as it is now, else as it was at the point: then both must be the same."""
    if recovery.source_export is None or recovery.copy_export is None:
        backups.mark(copy, recovery.id)
        point = None if recovery.asked.mode is Mode.IN_PLACE else recovery.point
        return desk.save(
            recovery.but(
                source_export=exports.begin(source, point, f"{recovery.id}-source"),
                copy_export=exports.begin(copy, None, f"{recovery.id}-copy"),
            ),
            POLL_SECONDS,
        )
    if not (exports.done(recovery.source_export) and exports.done(recovery.copy_export)):
        return desk.word(recovery, POLL_SECONDS)
    return desk.done(recovery, Act.EXPORT, "both are exported")


def _set_up(recovery: Recovery, copy: str, desk: Desk, backups: TableBackups) -> RecoverWord:
    wanted = recovery.source_settings
    if wanted is None:
        raise RefusedError("the source's settings were never read")
    backups.put_back(copy, wanted)
    if wrong := differing(wanted, backups.settings(copy)):
        return desk.stop(recovery, (f"not set up like {recovery.source}: {', '.join(wrong)}",))
    left = tuple(f"{name}: {why}" for name, why in unproven(wanted).items())
    told = f"set up like {recovery.source}" + (f", but for {'; '.join(left)}" if left else "")
    return desk.done(recovery.but(left_to_people=left), Act.SET_UP, told)
