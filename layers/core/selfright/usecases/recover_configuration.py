"""Put settings back as a snapshot has them, or send the application to a restored table; then compare."""

from __future__ import annotations

import json

from selfright.domain.backup.catalogue import PointKind
from selfright.domain.errors import BadInputError, NotFoundError, RefusedError
from selfright.domain.recovery.record import Act, Finding, Recovery, Status
from selfright.domain.recovery.request import Loss
from selfright.domain.recovery.settings import (
    PARAMETER,
    Setting,
    changed_since,
    field_set,
    left_in,
    seen,
    settings_in,
)
from selfright.domain.recovery.steps import RecoverWord
from selfright.restoring_ports import KeptState, SettingsBoard
from selfright.usecases.recovery_desk import Desk


def recover_configuration(
    recovery_id: str, *, desk: Desk, board: SettingsBoard, kept: KeptState
) -> RecoverWord:
    """Take the next step. A setting that somebody has changed since it was looked at is left alone.

    Raises NotFoundError where there is no such recovery, SourceDownError.
    """
    recovery = desk.open(recovery_id)
    step = recovery.step
    if step is None or step.act.room != "configuration":
        return desk.word(recovery)
    try:
        if recovery.looked_at is None:
            if step.act is Act.REPOINT:
                return _look_where_to_point(recovery, desk, board)
            return _look(recovery, desk, board, kept)
        if against := desk.against(recovery):
            return desk.stop(recovery, against, Status.REFUSED)
        wanted = _repointed(recovery, desk, board) if step.act is Act.REPOINT else _kept(recovery, kept)
        if step.act is not Act.CHECK_CONFIGURATION and (left := _put_back(recovery, wanted, board)):
            return desk.stop(recovery, (f"not put back: {', '.join(left[:8])}",))
        if wrong := [str(setting) for setting in wanted if board.read(setting) != setting.value]:
            return desk.stop(recovery, (f"not as they were: {', '.join(wrong[:8])}",))
        return desk.done(recovery, step.act, f"{len(wanted)} settings are as they are to be")
    except (RefusedError, NotFoundError, BadInputError, ValueError) as refused:
        return desk.stop(recovery, (str(refused),))


def _look(recovery: Recovery, desk: Desk, board: SettingsBoard, kept: KeptState) -> RecoverWord:
    asked, now = recovery.asked, desk.clock.now()
    point = kept.newest(
        asked.workload, asked.environment, PointKind.CONFIGURATION, asked.workload, recovery.point or now
    )
    if point is None:
        return desk.stop(recovery, (f"no snapshot is kept from {recovery.point} or before",), Status.REFUSED)
    snapshot = json.loads(kept.read(point))
    return desk.save(
        recovery.but(
            looked_at=now,
            kept=point,
            findings=tuple(changed_since(settings_in(snapshot), board.read)),
            left_to_people=tuple(left_in(snapshot)),
            state_at=point.taken_at,
        )
    )


def _kept(recovery: Recovery, kept: KeptState) -> tuple[Setting, ...]:
    """The settings that differed, as the snapshot has them."""
    if recovery.kept is None:
        raise RefusedError("no snapshot was chosen")
    differed = {finding.name for finding in recovery.findings}
    snapshot = json.loads(kept.read(recovery.kept))
    return tuple(setting for setting in settings_in(snapshot) if str(setting) in differed)


def _look_where_to_point(recovery: Recovery, desk: Desk, board: SettingsBoard) -> RecoverWord:
    (setting,) = _repointed(recovery, desk, board)
    finding = Finding(name=str(setting), loss=Loss.CHANGED, seen=seen(board.read(setting)))
    return desk.save(recovery.but(looked_at=desk.clock.now(), findings=(finding,)))


def _repointed(recovery: Recovery, desk: Desk, board: SettingsBoard) -> tuple[Setting]:
    """`repoint` of the manifest: the parameter, or one field of the JSON in it, with the restored table's name."""
    table = desk.workloads[recovery.asked.workload].backup.tables[recovery.asked.resource or ""]
    if table.repoint is None or recovery.copy_name is None:
        raise RefusedError("the manifest does not say where the table's name stands")
    setting = Setting(kind=PARAMETER, name=table.repoint.parameter, value="")
    before = board.read(setting)
    if before is None:
        raise RefusedError(f"there is no {setting}")
    wanted = field_set(before, table.repoint.field, recovery.copy_name)
    return (setting.model_copy(update={"value": wanted}),)


def _put_back(recovery: Recovery, wanted: tuple[Setting, ...], board: SettingsBoard) -> list[str]:
    """Why some were left alone."""
    before = {finding.name: finding.seen for finding in recovery.findings}
    left = []
    for setting in wanted:
        now = board.read(setting)
        if now == setting.value:
            continue  # by this room, before it was repeated
        if seen(now) != before[str(setting)]:
            left.append(f"{setting} was changed meanwhile")
        else:
            board.write(setting)
    return left
