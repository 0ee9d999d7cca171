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
            look = _look_where_to_point if step.act is Act.REPOINT else _look
            return look(recovery, desk, board, kept)
        if against := desk.against(recovery):
            return desk.stop(recovery, against, Status.REFUSED)
        if step.act is Act.CHECK_CONFIGURATION:
            return _check(recovery, step.act, desk, board)
        return _put_back(recovery, step.act, desk, board)
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
    findings = tuple(changed_since(settings_in(snapshot), board.read))
    return desk.save(
        recovery.but(
            looked_at=now, findings=findings, left_to_people=tuple(left_in(snapshot)), state_at=point.taken_at
        )
    )


def _look_where_to_point(
    recovery: Recovery, desk: Desk, board: SettingsBoard, _kept: KeptState
) -> RecoverWord:
    """`repoint` of the manifest: the parameter, or one field of the JSON in it, that names the table."""
    table = desk.workloads[recovery.asked.workload].backup.tables[recovery.asked.resource or ""]
    if table.repoint is None or recovery.copy_name is None:
        raise RefusedError("the manifest does not say where the table's name stands")
    setting = Setting(kind=PARAMETER, name=table.repoint.parameter, value="")
    before = board.read(setting)
    if before is None:
        raise RefusedError(f"there is no {setting}")
    wanted = field_set(before, table.repoint.field, recovery.copy_name)
    finding = Finding(
        name=str(setting),
        loss=Loss.CHANGED,
        key=setting.model_copy(update={"value": wanted}).model_dump(),
        seen=before,
    )
    return desk.save(recovery.but(looked_at=desk.clock.now(), findings=(finding,)))


def _put_back(recovery: Recovery, act: Act, desk: Desk, board: SettingsBoard) -> RecoverWord:
    left = []
    for finding in recovery.findings:
        setting = Setting.model_validate(finding.key)
        now = board.read(setting)
        if now == setting.value:
            continue  # by this room, before it was repeated
        if (now or "") != finding.seen:
            left.append(f"{setting} was changed meanwhile")
        else:
            board.write(setting)
    if left:
        return desk.stop(
            recovery, (f"{len(left)} of {len(recovery.findings)} not put back: {', '.join(left[:8])}",)
        )
    if act is Act.REPOINT:
        return _check(recovery, act, desk, board)
    return desk.done(recovery, act, f"{len(recovery.findings)} settings put back")


def _check(recovery: Recovery, act: Act, desk: Desk, board: SettingsBoard) -> RecoverWord:
    kept = [Setting.model_validate(finding.key) for finding in recovery.findings]
    wrong = [str(setting) for setting in kept if board.read(setting) != setting.value]
    if wrong:
        return desk.stop(recovery, (f"not as they were: {', '.join(wrong[:8])}",))
    return desk.done(recovery, act, f"all {len(kept)} are as they are to be")
