"""Take an incident up: find its runbook, and ask the gates whether looking closer makes sense."""

from __future__ import annotations

from collections.abc import Mapping

from selfright.domain.gates import ask_gates
from selfright.domain.incident import Attempt, Entry, EntryKind, Incident, IncidentStatus
from selfright.domain.manifest import Workload
from selfright.domain.runbook import Runbook, Shelf
from selfright.domain.steps import Next, StepResult
from selfright.ports import (
    Alarms,
    Clock,
    Functions,
    History,
    IncidentStore,
    Leases,
    ReleaseLedger,
    SwitchBoard,
)
from selfright.usecases.gate_facts import gate_facts
from selfright.usecases.stopping import gates_entry, must_be_answered, stopped


def choose_runbook(
    incident_id: str,
    *,
    workloads: Mapping[str, Workload],
    shelf: Shelf,
    store: IncidentStore,
    alarms: Alarms,
    switches: SwitchBoard,
    leases: Leases,
    history: History,
    releases: ReleaseLedger,
    functions: Functions,
    clock: Clock,
) -> StepResult:
    """Go on with the checks, or close: no runbook for this kind of problem, or a gate says stop.

    What no alarm reported goes to people whatever the gates say: they guard changes, and none will be made.

    Raises NotFoundError where the incident does not exist, SourceDownError where a gate could not be asked.
    """
    case = store.case(incident_id)
    incident = case.incident
    workload = workloads[incident.workload]
    runbook, found_text = _runbook(incident, workload, shelf)
    found = Entry(
        key="runbook",
        at=clock.now(),
        kind=EntryKind.RUNBOOK_CHOSEN,
        text=found_text,
        detail={"runbook": runbook.id if runbook else None},
    )
    gates = ask_gates(
        gate_facts(
            case,
            workload,
            Attempt(number=1),
            alarms=alarms,
            switches=switches,
            leases=leases,
            history=history,
            releases=releases,
            functions=functions,
            clock=clock,
        )
    )
    store.take_up(
        incident_id, runbook.id if runbook else None, [found, gates_entry("gates", gates, clock.now())]
    )
    if incident.alarm_name is not None:
        must_be_answered(gates)
        if stop := stopped(gates, attempt=1):
            return stop
    if runbook is None:
        return StepResult(next=Next.CLOSE, attempt=1, status=IncidentStatus.ESCALATED, reason=found.text)
    return StepResult(next=Next.CHECK, attempt=1)


def _runbook(incident: Incident, workload: Workload, shelf: Shelf) -> tuple[Runbook | None, str]:
    """The runbook that suits, and what the timeline says about the choice."""
    if incident.alarm_name is None:
        return None, f"none: no alarm could prove that a remedy for {incident.symptom} worked"
    kind = workload.resource(incident.resource).type
    runbook = shelf.find(kind, incident.symptom)
    return (
        runbook,
        f"{runbook.id}: {runbook.title}" if runbook else f"none for {incident.symptom} of a {kind}",
    )
