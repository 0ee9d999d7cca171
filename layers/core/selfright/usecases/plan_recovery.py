"""Say what a recovery will do, what it overwrites and how long it took before; or why it may not begin."""

from __future__ import annotations

from selfright.backup_ports import TableBackups
from selfright.domain.errors import BadInputError, NotFoundError
from selfright.domain.manifest import Workload
from selfright.domain.recovery.planning import steps_of
from selfright.domain.recovery.record import Recovery, Status, id_of, percentiles, table_name
from selfright.domain.recovery.request import RecoverInput, Scenario
from selfright.domain.recovery.steps import RecoverBegin, RecoverWord
from selfright.usecases.recovery_desk import Desk

LOOKED_AT = 50  # newest recoveries of the workload, for the expected RTO


def plan_recovery(begin: RecoverBegin, *, desk: Desk, backups: TableBackups) -> RecoverWord:
    """Nothing is changed yet. A repetition goes on with the plan that was made.

    Raises BadInputError where no manifest has the workload, SourceDownError.
    """
    found = desk.recoveries.find(id_of(begin.execution))
    if found:
        return desk.word(found)
    asked, workload = begin.asked, desk.workloads.get(begin.asked.workload)
    if workload is None:
        raise BadInputError("workload", f"must be one of {', '.join(desk.workloads)} (is {asked.workload!r})")
    recovery = _planned(begin, workload, desk)
    against = desk.against(recovery) or _cannot_be_restored(recovery, backups)
    if against:
        return desk.stop(recovery, against, Status.REFUSED)
    return desk.save(recovery)


def _planned(begin: RecoverBegin, workload: Workload, desk: Desk) -> Recovery:
    asked = begin.asked
    resource = workload.resources.get(asked.resource) if asked.resource else None
    recovery = Recovery(
        id=id_of(begin.execution),
        execution=begin.execution,
        asked=asked,
        began_at=desk.clock.now(),
        steps=steps_of(asked),
        point=asked.point.replace(microsecond=0)
        if asked.point
        else None,  # DynamoDB restores to whole seconds
        source=resource.name if resource else None,
        expected_rto_seconds=percentiles(_measured(asked, desk)),
    )
    if asked.scenario is Scenario.TABLE and resource:
        name = table_name(recovery.id, resource.name, isolated=recovery.throwaway)
        recovery = recovery.but(copy_name=name)
    return recovery


def _measured(asked: RecoverInput, desk: Desk) -> list[float]:
    """What recoveries of this kind took until now."""
    before = desk.recoveries.newest(asked.workload, asked.environment, LOOKED_AT)
    alike = [one for one in before if one.asked.scenario is asked.scenario and one.asked.mode is asked.mode]
    return [one.rto_seconds for one in alike if one.rto_seconds is not None]


def _cannot_be_restored(recovery: Recovery, backups: TableBackups) -> tuple[str, ...]:
    if recovery.asked.scenario is not Scenario.TABLE or recovery.source is None or recovery.point is None:
        return ()
    try:
        window = backups.window(recovery.source)
    except NotFoundError:
        return (f"{recovery.source} is gone; docs/recover.md says how a deleted table is restored by hand",)
    if window is None:
        return (f"point-in-time recovery is off for {recovery.source}",)
    if recovery.point < window.earliest:  # one of the last minutes is waited for
        return (f"point: must not lie before {window.earliest}",)
    return ()
