"""Decide what a signal is: a new problem, one that is known, one that is over, or none of ours."""

from __future__ import annotations

from collections.abc import Sequence

from selfright.domain.alarms import State
from selfright.domain.incident import Incident, fingerprint
from selfright.domain.manifest import Workload
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord, Signal
from selfright.ports import Clock, IncidentStore, Workflows


def receive_signal(
    signal: Signal,
    *,
    workloads: Sequence[Workload],
    store: IncidentStore,
    workflows: Workflows,
    clock: Clock,
) -> DecisionRecord:
    """Record one decision for `signal` and start `respond` where it opened an incident.

    Repeating is safe: the record is written once, and the workflow is named after the incident. The workflow is
    started after the record, so a crash in between is healed by the redelivery, which finds the record.
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
        return store.recover(fingerprint(signal, workload, alarm), signal, now)
    record = store.open_or_join(Incident.open(signal, workload, alarm, now), signal, now)
    if record.decision is Decision.OPENED and record.incident_id:
        workflows.start(record.incident_id)
    return record
