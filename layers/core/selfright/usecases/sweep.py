"""Find what fell through: alarms nobody decided on, incidents and releases nobody works on, leases nobody gave back.

An incident whose execution is over but left it open may have a change standing that nobody judges any more. `undo`
undoes it, with the permissions of the rooms of `respond`: the sweep itself changes no resource. Where that fails as
well, people are told directly, with what is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from selfright.domain.errors import SelfrightError, SourceDownError
from selfright.domain.incident import Incident, IncidentStatus
from selfright.domain.manifest import Workload
from selfright.domain.report import report
from selfright.domain.signal import Decision, Signal
from selfright.ports import (
    Alarms,
    Clock,
    Deployments,
    History,
    IncidentStore,
    Leases,
    Messenger,
    ReleaseLedger,
    Workflows,
)
from selfright.usecases.close_incident import close_incident
from selfright.usecases.lost_releases import UNDER_WAY, free_place, give_up, take_back, unfinished
from selfright.usecases.receive_signal import receive_signal

# What is younger is still on its way: SQS gives a failed message again after its visibility timeout (6 minutes).
GRACE = timedelta(minutes=10)
# Decisions are kept for 90 days; an older episode would look as if nobody had decided on it.
OLDEST_EPISODE = timedelta(days=80)
OLDEST_INCIDENT = timedelta(days=7)  # an execution lasts two hours at most, and we look every five minutes

T = TypeVar("T")


class SweepReport(BaseModel):
    """What one sweep found and mended: incidents and releases by id, leases by target."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    opened: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    undoing: tuple[str, ...] = ()
    handed_over: tuple[str, ...] = ()
    freed: tuple[str, ...] = ()
    taking_back: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()


def sweep(
    *,
    workloads: Sequence[Workload],
    store: IncidentStore,
    leases: Leases,
    history: History,
    alarms: Alarms,
    workflows: Workflows,
    messenger: Messenger,
    releases: ReleaseLedger,
    deployments: Deployments,
    clock: Clock,
) -> SweepReport:
    """Look at everything, mend what can be mended, and only then fail. Repeating is safe.

    Raises SourceDownError where something could not be looked at or mended: the rest was.
    """
    now, broom = clock.now(), _Broom()

    def decide(signal: Signal) -> str | None:
        if not _was_missed(signal, store, now):
            return None
        record = receive_signal(
            signal, workloads=workloads, store=store, history=history, workflows=workflows, clock=clock
        )
        return record.incident_id if record.decision is Decision.OPENED else None

    def start(incident: Incident) -> str | None:
        if workflows.status(incident.id) is not None:
            return None
        workflows.start(incident.id)
        return incident.id

    def hand_over(incident: Incident) -> str | None:
        status = workflows.undoing(incident.id)
        if status is None or status in UNDER_WAY:
            return None
        return _hand_over(
            incident.id, status, store=store, leases=leases, history=history, messenger=messenger, clock=clock
        )

    def free(target: str) -> str | None:
        owner = leases.lapsed(target, now)
        if owner is None:
            return None
        leases.release(target, owner)
        return target

    names = [alarm.name for workload in workloads for alarm in workload.alarms.values()]
    targets = [resource.name for workload in workloads for resource in workload.resources.values()]
    open_ = [incident for w in workloads for incident in broom.found(partial(_left_open, store, w, now))]
    releasing = [w for w in workloads if w.deployment.functions]
    half_way = [one for w in releasing for one in broom.found(partial(unfinished, releases, w, now))]
    report = SweepReport(
        opened=broom.each(broom.found(partial(alarms.alarming, names)), decide),
        started=broom.each(open_, start),
        undoing=broom.each(open_, partial(_undo, store=store, workflows=workflows)),
        handed_over=broom.each(open_, hand_over),
        freed=(
            *broom.each(targets, free),
            *broom.each(releasing, partial(free_place, releases=releases, leases=leases, clock=clock)),
        ),
        taking_back=broom.each(half_way, partial(take_back, releases=releases, deployments=deployments)),
        given_up=broom.each(
            half_way,
            partial(
                give_up,
                releases=releases,
                deployments=deployments,
                leases=leases,
                messenger=messenger,
                clock=clock,
            ),
        ),
    )
    if broom.errors:
        failed = f"{len(broom.errors)} steps failed, first: {broom.errors[0]}"
        raise SourceDownError(f"{failed}; the others: {report.model_dump_json()}")
    return report


class _Broom:
    """Does one thing after the other: what fails is kept for the end and stops nothing."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def found(self, look: Callable[[], Sequence[T]]) -> Sequence[T]:
        try:
            return look()
        except SelfrightError as error:
            self.errors.append(str(error))
            return ()

    def each(self, things: Sequence[T], mend: Callable[[T], str | None]) -> tuple[str, ...]:
        """The names of those that were mended."""
        mended = []
        for thing in things:
            try:
                name = mend(thing)
            except SelfrightError as error:
                self.errors.append(str(error))
            else:
                mended += [name] if name else []
        return tuple(mended)


def _was_missed(signal: Signal, store: IncidentStore, now: datetime) -> bool:
    """True for a transition that is neither decided, nor on its way, nor older than decisions are kept."""
    if not GRACE < now - signal.at < OLDEST_EPISODE:
        return False
    return not any(store.decision(signal_id) for signal_id in signal.ids_nearby)


def _left_open(store: IncidentStore, workload: Workload, now: datetime) -> Sequence[Incident]:
    found = store.open_incidents(workload.workload, workload.environment, now - OLDEST_INCIDENT)
    return [incident for incident in found if now - incident.opened_at > GRACE]


def _undo(incident: Incident, *, store: IncidentStore, workflows: Workflows) -> str | None:
    """Have an incident undone whose execution is over; its id, or None where it is closed by now."""
    status = workflows.status(incident.id)
    if status in {None, *UNDER_WAY} or workflows.undoing(incident.id) is not None:
        return None
    case = store.case(incident.id)  # the list of open ones is an index that lags behind
    if case.incident.status is not IncidentStatus.OPEN:
        return None
    attempt = case.attempts[-1].number if case.attempts else 1
    workflows.undo(incident.id, attempt, f"its execution is {status}")
    return incident.id


def _hand_over(
    incident_id: str,
    status: str,
    *,
    store: IncidentStore,
    leases: Leases,
    history: History,
    messenger: Messenger,
    clock: Clock,
) -> str | None:
    """Close an incident whose undoing is over, and tell people; its id, or None where it is closed by now."""
    case = store.case(incident_id)
    if case.incident.status is not IncidentStatus.OPEN:
        return None
    reason, error = "nobody works on it any more", f"its undoing is {status}"
    closing = case.incident.model_copy(
        update={"status": IncidentStatus.ESCALATED, "outcome": f"{reason}: {error}"}
    )
    # First tell, then close: a crash in between tells people twice, the other way round it would tell them nothing.
    messenger.tell(report(case.model_copy(update={"incident": closing})))
    close_incident(
        incident_id,
        IncidentStatus.ESCALATED,
        reason,
        error=error,
        store=store,
        leases=leases,
        history=history,
        clock=clock,
    )
    return incident_id
