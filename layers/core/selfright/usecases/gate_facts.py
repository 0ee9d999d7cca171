"""Collect what the gates look at, fresh. What cannot be read becomes Unknown, which every gate takes as stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from selfright.domain.budget import DAY, HOUR, Counted, within
from selfright.domain.errors import NotFoundError, SelfrightError
from selfright.domain.gates import AlarmNow, Change, GateFacts, Radius, Spent, Storm, Troubles, Unknown
from selfright.domain.gates.history import KEPT_FOR
from selfright.domain.incident import Attempt, CaseFile, Incident
from selfright.domain.manifest import Autonomy, Workload
from selfright.ports import Alarms, Clock, Functions, History, Leases, ReleaseLedger, SwitchBoard, Switches
from selfright.usecases.recent_release import answers_for
from selfright.usecases.watched_alarms import watched_alarms

T = TypeVar("T")


def gate_facts(
    case: CaseFile,
    workload: Workload,
    attempt: Attempt,
    *,
    alarms: Alarms,
    switches: SwitchBoard,
    leases: Leases,
    history: History,
    releases: ReleaseLedger,
    functions: Functions,
    clock: Clock,
) -> GateFacts:
    """The facts for `ask_gates` about `attempt`.

    Without a plan, the gates that speak of a change have nothing to say yet; those that speak of a target speak of
    the resource by its name.
    """
    incident, plan, now = case.incident, attempt.plan, clock.now()
    mine = (incident.id, attempt.number)
    # A stack or a budget is none of the workload's resources; nothing is ever planned for one.
    resource = workload.resources.get(incident.resource)
    touched = plan.target if plan else resource.name if resource else incident.resource
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
        alarm_changes=_read(lambda: tuple(history.alarm_changes(incident.subject, now - KEPT_FOR))),
        release=_read(lambda: answers_for(workload, releases, functions, now))
        if incident.alarm_name in watched_alarms(workload)
        else None,
        storm=_storm(_read(lambda: history.troubles(incident.workload, incident.environment)), workload),
        protected=resource is not None and resource.protected,
        changes=_read(lambda: _others(history.changes(touched), mine)),
        attempt=attempt.number,
        attempts_allowed=workload.limits.attempts,
        remedy=attempt.remedy,
        spent=_spent(
            _read(lambda: history.counted(incident.workload, incident.environment)), workload, mine, now
        ),
        figures={
            "facts": attempt.facts,
            "plan": plan.model_dump(include={"before", "after", "increase_factor"}) if plan else {},
        },
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


def _others(changes: Sequence[Change], mine: tuple[str, int]) -> tuple[Change, ...]:
    return tuple(c for c in changes if (c.incident, c.attempt) != mine)


def _storm(troubles: Troubles | Unknown, workload: Workload) -> Storm | Unknown:
    if isinstance(troubles, Unknown):
        return troubles
    return troubles.storm(len(workload.resources), workload.limits.unhealthy_share)


def _spent(
    counted: Sequence[Counted] | Unknown, workload: Workload, mine: tuple[str, int], now: datetime
) -> Spent | Unknown:
    if isinstance(counted, Unknown):
        return counted
    others = [c for c in counted if (c.incident, c.attempt) != mine]
    return Spent(
        hour=within(others, HOUR, now),
        day=within(others, DAY, now),
        per_hour=workload.limits.actions_per_hour,
        per_day=workload.limits.actions_per_day,
    )


def _read(source: Callable[[], T]) -> T | Unknown:
    try:
        return source()
    except SelfrightError as error:
        return Unknown(error=str(error))
