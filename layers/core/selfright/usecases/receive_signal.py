"""Decide what a signal is: a new problem, one that is known, one that is over, or none of ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from selfright.domain.alarms import State
from selfright.domain.concern import concern
from selfright.domain.gates import Storm
from selfright.domain.incident import Incident, fingerprint
from selfright.domain.manifest import Workload
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord, Signal, SignalKind
from selfright.ports import Clock, History, IncidentStore, Workflows

TOLD_FOR = timedelta(hours=1)


def receive_signal(
    signal: Signal,
    *,
    workloads: Sequence[Workload],
    store: IncidentStore,
    history: History,
    workflows: Workflows,
    clock: Clock,
) -> DecisionRecord:
    """Record one decision for `signal` and start `respond` where it opened an incident.

    Repeating is safe: the record is written once, and the workflow is named after the incident. The workflow is
    started after the record, so a crash in between is healed by the redelivery, which finds the record. In a storm
    incidents are recorded as held and nothing is started: the one that declared it goes through the gates, which
    stop it, and tells people for all.
    """
    record = _decide(signal, workloads, store, history, clock.now())
    if record.decision is Decision.OPENED and record.incident_id:
        workflows.start(record.incident_id)
    return record


def _decide(
    signal: Signal, workloads: Sequence[Workload], store: IncidentStore, history: History, now: datetime
) -> DecisionRecord:
    match signal.kind:
        case SignalKind.ALARM:
            return _alarm(signal, workloads, store, history, now)
        case SignalKind.CANARY:
            return store.ignore(signal, DecisionReason.CANARY_ARRIVED, now)
        case _:
            return _anything_else(signal, workloads, store, now)


def _alarm(
    signal: Signal, workloads: Sequence[Workload], store: IncidentStore, history: History, now: datetime
) -> DecisionRecord:
    for workload in workloads:
        if alarm := workload.alarm_by_name(signal.name):
            break
    else:
        return store.ignore(signal, DecisionReason.NOT_A_WORKLOAD_ALARM, now)
    if signal.state is State.INSUFFICIENT_DATA:
        return store.ignore(signal, DecisionReason.NO_DATA_IS_NO_PROBLEM, now)
    if signal.state is State.OK and signal.contributor:
        return store.ignore(signal, DecisionReason.ALARM_DECIDES, now)
    if signal.state is State.OK:
        record = store.recover(fingerprint(signal, workload, alarm), signal, now)
        end_storm_if_over(workload, history)
        return record
    incident = Incident.open(signal, workload, alarm, now)
    storm = end_storm_if_over(workload, history, incident.resource)
    if storm.declared and storm.rages:
        return store.hold(incident, signal, now)
    record = store.open_or_join(incident, signal, now)
    if storm.breaks_out and record.decision is Decision.OPENED and record.incident_id:
        history.declare_storm(workload.workload, workload.environment, record.incident_id, now)
    return record


def _anything_else(
    signal: Signal, workloads: Sequence[Workload], store: IncidentStore, now: datetime
) -> DecisionRecord:
    """What has no alarm goes to people at once, so that it is over in seconds: the same again would be told again.

    A storm never holds it: what it says is news to people, and nothing is changed for it.
    """
    if signal.state is not State.ALARM:
        return store.ignore(signal, DecisionReason.NOTHING_IS_WRONG, now)
    found = concern(signal, workloads)
    if found is None:
        return store.ignore(signal, DecisionReason.NOT_OF_A_WORKLOAD, now)
    incident = Incident.open(signal, *found, now)
    last = store.last_episode(incident.fingerprint)
    if last and abs(signal.at - last) < TOLD_FOR:
        return store.ignore(signal, DecisionReason.TOLD_ALREADY, now)
    return store.open_or_join(incident, signal, now)


def end_storm_if_over(workload: Workload, history: History, *also: str) -> Storm:
    """How the workload stands, with `also` in trouble; a storm that is over is over for the next signal, too."""
    troubles = history.troubles(workload.workload, workload.environment)
    storm = troubles.storm(len(workload.resources), workload.limits.unhealthy_share, *also)
    if storm.is_over:
        history.end_storm(workload.workload, workload.environment)
    return storm
