"""Collect what the gates look at, fresh. What cannot be read becomes Unknown, which every gate takes as stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from selfright.domain.errors import NotFoundError, SelfrightError
from selfright.domain.gates import AlarmNow, GateFacts, Radius, Unknown
from selfright.domain.incident import CaseFile, Incident, Plan
from selfright.domain.manifest import Autonomy, Workload
from selfright.ports import Alarms, Clock, Leases, SwitchBoard, Switches

T = TypeVar("T")


def gate_facts(
    case: CaseFile,
    workload: Workload,
    plan: Plan | None,
    *,
    alarms: Alarms,
    switches: SwitchBoard,
    leases: Leases,
    clock: Clock,
) -> GateFacts:
    """The facts for `ask_gates`. Without a plan, the gates that speak of a change have nothing to say yet."""
    incident, now = case.incident, clock.now()
    board = _read(switches.read)
    alarm, exists = _alarm_now(alarms, incident.alarm_name)
    target = plan.target if plan else None
    return GateFacts(
        now=now,
        episode=case.episode,
        stale_after_seconds=workload.limits.stale_after_seconds,
        cooldown_seconds=workload.limits.cooldown_seconds,
        kill_switch=board if isinstance(board, Unknown) else board.kill_switch,
        window=workload.windows.closed_at(now),
        by_alarm=incident.alarm_name is not None,
        alarm=alarm,
        alarm_exists=exists,
        autonomy=_autonomy(incident, workload, board) if plan else None,
        last_action_at=_read(lambda: leases.last_action_at(target, incident.id)) if target else None,
        lease_holder=_read(lambda: leases.holder(target, now)) if target else None,
        incident_id=incident.id,
        radius=Radius(
            resources=plan.resources_touched,
            max_resources=workload.limits.max_resources,
            increase_factor=plan.increase_factor,
            max_increase_factor=workload.limits.max_increase_factor,
        )
        if plan
        else None,
    )


def _alarm_now(alarms: Alarms, name: str | None) -> tuple[AlarmNow | Unknown | None, bool]:
    """How the alarm stands, and whether there is one."""
    if name is None:
        return None, False
    try:
        return alarms.now(name), True
    except NotFoundError:
        return None, False
    except SelfrightError as error:
        return Unknown(error=str(error)), True


def _autonomy(incident: Incident, workload: Workload, board: Switches | Unknown) -> Autonomy | Unknown:
    """The manifest's level, lowered (never raised) by the switch board."""
    if isinstance(board, Unknown):
        return board
    if incident.runbook is None:
        return Unknown(error="no runbook is chosen")
    level = workload.autonomy_for(incident.runbook)
    return min(level, board.autonomy.get(incident.runbook, level))


def _read(source: Callable[[], T]) -> T | Unknown:
    try:
        return source()
    except SelfrightError as error:
        return Unknown(error=str(error))
