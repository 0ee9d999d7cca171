"""Carry out the chosen remedy: plan on fresh state, ask the gates, take the lease, record before-values, act.

The order makes every crash harmless. Before the record nothing was changed. After it the values on AWS tell what
happened: equal to the plan's `after`, the change is made; equal to `before`, it is not; anything else, somebody
else was there and we keep our hands off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from selfright.domain.errors import ConflictError, DriftedError, NotFoundError, RefusedError
from selfright.domain.gates import ask_gates
from selfright.domain.incident import Attempt, AttemptStatus, CaseFile, Entry, EntryKind, IncidentStatus, Plan
from selfright.domain.manifest import Workload
from selfright.domain.runbook import Remedy, Runbook
from selfright.domain.steps import Next, StepResult
from selfright.ports import Action, Alarms, Clock, IncidentStore, Instruments, Leases, SwitchBoard
from selfright.usecases.gate_facts import gate_facts
from selfright.usecases.stopping import gates_entry, stopped

DONE = {AttemptStatus.APPLIED, AttemptStatus.VERIFIED}


def apply_action(
    incident_id: str,
    attempt: int,
    *,
    workloads: Mapping[str, Workload],
    runbooks: Mapping[str, Runbook],
    actions: Mapping[str, Action],
    instruments: Instruments,
    store: IncidentStore,
    leases: Leases,
    alarms: Alarms,
    switches: SwitchBoard,
    clock: Clock,
) -> StepResult:
    """Let the change settle, try the next remedy (this one was refused), or close (a gate stopped it).

    Raises DriftedError where an interrupted change left values that are neither before nor after; SourceDownError
    where AWS could not be asked. Both leave a record that `undo_action` can work with.
    """
    case = store.case(incident_id)
    incident, this = case.incident, case.attempt(attempt)
    workload = workloads[incident.workload]
    settle = StepResult(next=Next.SETTLE, attempt=attempt, wait=workload.verification.settle_seconds)
    if this.status in DONE:
        return settle
    remedy = _remedy(case, this, runbooks)
    action = actions[remedy.use]

    plan = this.plan if this.status is AttemptStatus.INTENDED else None
    if plan is not None and _already_made(action, instruments, plan):
        _applied(this, plan, store, incident_id, clock)
        return settle
    if plan is None:
        try:
            plan = _plan(action, instruments, workload, incident.resource, this.facts)
        except (RefusedError, NotFoundError) as refusal:
            return _refused(this, str(refusal), store, incident_id, clock)

    gates = ask_gates(
        gate_facts(incident, workload, plan, alarms=alarms, switches=switches, leases=leases, clock=clock)
    )
    this = this.model_copy(update={"plan": plan, "gates": gates})
    asked = gates_entry(f"attempt-{attempt}-gates", gates, clock.now())
    if stop := stopped(gates, attempt):
        store.save_attempt(incident_id, this.model_copy(update={"status": AttemptStatus.REFUSED}), [asked])
        return stop

    now = clock.now()
    # The lease outlives the latest verdict, so that nobody changes the target while it is being judged.
    seconds = max(workload.limits.lease_seconds, 2 * workload.verification.verify_within_seconds)
    try:
        fence = leases.acquire(plan.target, incident_id, now + timedelta(seconds=seconds), now)
        this = this.model_copy(update={"fence": fence, "status": AttemptStatus.INTENDED})
        store.intend(incident_id, this, plan.target, now)
    except ConflictError as lost:
        return StepResult(
            next=Next.CLOSE, attempt=attempt, status=IncidentStatus.HELD, reason=f"lost the lease: {lost}"
        )
    try:
        action.apply(instruments, plan, plan.after)
    except RefusedError as refusal:
        return _refused(this, str(refusal), store, incident_id, clock)
    _applied(this, plan, store, incident_id, clock, asked)
    return settle


def _remedy(case: CaseFile, attempt: Attempt, runbooks: Mapping[str, Runbook]) -> Remedy:
    runbook = runbooks[str(case.incident.runbook)]
    for remedy in runbook.remedies:
        if remedy.id == attempt.remedy:
            return remedy
    raise NotFoundError(f"runbook {runbook.id} has no remedy {attempt.remedy}")


def _plan(
    action: Action, instruments: Instruments, workload: Workload, key: str, facts: Mapping[str, Any]
) -> Plan:
    resource = workload.resource(key)
    if resource.protected:
        raise RefusedError("the manifest protects this resource")
    return action.plan(instruments, key, resource, facts)


def _already_made(action: Action, instruments: Instruments, plan: Plan) -> bool:
    """Whether an interrupted change is in force.

    Raises DriftedError where the values are neither before nor after.
    """
    current = action.read(instruments, plan)
    if current == plan.after:
        return True
    if current != plan.before:
        raise DriftedError(f"{plan.target}: expected {plan.before} or {plan.after}, found {current}")
    return False


def _refused(attempt: Attempt, why: str, store: IncidentStore, incident_id: str, clock: Clock) -> StepResult:
    entry = Entry(
        key=f"attempt-{attempt.number}-refused",
        at=clock.now(),
        kind=EntryKind.ACTION_APPLIED,
        text=f"refused: {why}",
        detail={"remedy": attempt.remedy, "refused": why},
    )
    store.save_attempt(incident_id, attempt.model_copy(update={"status": AttemptStatus.REFUSED}), [entry])
    return StepResult(next=Next.CHECK, attempt=attempt.number + 1)


def _applied(
    attempt: Attempt, plan: Plan, store: IncidentStore, incident_id: str, clock: Clock, *more: Entry
) -> None:
    now = clock.now()
    entry = Entry(
        key=f"attempt-{attempt.number}-applied",
        at=now,
        kind=EntryKind.ACTION_APPLIED,
        text=plan.summary,
        detail={"action": plan.action, "target": plan.target, "before": plan.before, "after": plan.after},
    )
    done = attempt.model_copy(update={"status": AttemptStatus.APPLIED, "applied_at": now})
    store.save_attempt(incident_id, done, [*more, entry])
