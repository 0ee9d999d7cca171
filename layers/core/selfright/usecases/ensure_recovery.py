"""Point-in-time recovery is on for every table that the manifest wants it for; where it is off, it is switched on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel

from selfright.backup_ports import TableBackups
from selfright.domain.backup.catalogue import CONTINUOUS, Place, PointKind, RecoveryPoint
from selfright.domain.backup.verdict import FROZEN
from selfright.domain.errors import SelfrightError
from selfright.domain.manifest import Workload
from selfright.ports import Clock, SwitchBoard
from selfright.recovery_ports import PointInTimeRecovery, RecoveryPoints


class Ensured(BaseModel):
    """Tables by name. `off`: it was off when we looked, and why it still is, where it is."""

    model_config = FROZEN

    on: tuple[str, ...] = ()
    off: Mapping[str, str] = {}


SWITCHED_ON = "switched on"


def ensure_recovery(
    *,
    workloads: Mapping[str, Workload],
    backups: TableBackups,
    recovery: PointInTimeRecovery,
    points: RecoveryPoints,
    switches: SwitchBoard,
    clock: Clock,
) -> Ensured:
    """Look at every table, and only then raise what went wrong with the first. Raises NotFoundError, SourceDownError.

    It is a change of somebody's table, so none is made while the kill switch is on, in a window or to what is
    protected: then it is told, and that is all.
    """
    paused, now = switches.read().kill_switch, clock.now()
    on: list[str] = []
    off: dict[str, str] = {}
    wrong = []
    for workload in workloads.values():
        for key in workload.backup.tables:
            table = workload.resource(key).name
            try:
                window = backups.window(table)
                if window is not None:
                    points.record_newest(_continuous(workload, key, table, window.latest, now))
                    on.append(table)
                elif reason := _hands_off(workload, key, now, paused=paused):
                    off[table] = reason
                else:
                    recovery.switch_on(table)
                    off[table] = SWITCHED_ON
            except SelfrightError as error:
                wrong.append(error)
    if wrong:
        raise wrong[0]
    return Ensured(on=tuple(on), off=off)


def _hands_off(workload: Workload, key: str, now: datetime, *, paused: bool) -> str | None:
    if paused:
        return "the kill switch is on"
    if workload.resource(key).protected:
        return "it is protected"
    closure = workload.windows.closed_at(now)
    return f"{closure.reason} {closure.name}" if closure else None


def _continuous(workload: Workload, key: str, table: str, latest: datetime, now: datetime) -> RecoveryPoint:
    return RecoveryPoint(
        workload=workload.workload,
        environment=workload.environment,
        run=CONTINUOUS,
        run_began_at=now,
        kind=PointKind.TABLE_PITR,
        source=key,
        taken_at=min(latest, now),
        place=Place(table=table),
    )
