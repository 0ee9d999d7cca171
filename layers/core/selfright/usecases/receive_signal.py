"""Decide what a signal is: a new problem, one that is known, one that is over, or none of ours."""

from __future__ import annotations

from collections.abc import Sequence

from selfright.domain.alarms import State
from selfright.domain.gates import Storm
from selfright.domain.incident import Incident, fingerprint
from selfright.domain.manifest import Workload
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord, Signal
from selfright.ports import Clock, History, IncidentStore, Workflows


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
    now = clock.now()
    for workload in workloads:
        if alarm := workload.alarm_by_name(signal.alarm_name):
            break
    else:
        return store.ignore(signal, DecisionReason.NOT_A_WORKLOAD_ALARM, now)
    if signal.state is State.INSUFFICIENT_DATA:
        return store.ignore(signal, DecisionReason.NO_DATA_IS_NO_PROBLEM, now)
    if signal.state is State.OK:
        record = store.recover(fingerprint(signal, workload, alarm), signal, now)
        end_storm_if_over(workload, history)
        return record
    incident = Incident.open(signal, workload, alarm, now)
    storm = end_storm_if_over(workload, history, incident.resource)
    if storm.declared and storm.rages:
        record = store.hold(incident, signal, now)
    else:
        record = store.open_or_join(incident, signal, now)
    if record.decision is Decision.OPENED and record.incident_id:
        if storm.breaks_out:
            history.declare_storm(workload.workload, workload.environment, record.incident_id, now)
        workflows.start(record.incident_id)
    return record


def end_storm_if_over(workload: Workload, history: History, *also: str) -> Storm:
    """How the workload stands, with `also` in trouble; a storm that is over is over for the next signal, too."""
    troubles = history.troubles(workload.workload, workload.environment)
    storm = troubles.storm(len(workload.resources), workload.limits.unhealthy_share, *also)
    if storm.is_over:
        history.end_storm(workload.workload, workload.environment)
    return storm
