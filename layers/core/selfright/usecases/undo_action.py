"""Put the before-values back, but only over our own change, and while nobody else has the target."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from selfright.domain.errors import DriftedError, RefusedError
from selfright.domain.incident import AttemptStatus, Entry, EntryKind, Standing
from selfright.domain.manifest import Workload
from selfright.domain.steps import Next, StepResult
from selfright.ports import Action, Clock, IncidentStore, Instruments, Leases

# What helped is not among them: a step that failed afterwards does not make it worse.
MADE = {AttemptStatus.INTENDED, AttemptStatus.APPLIED}


def undo_action(
    incident_id: str,
    attempt: int,
    *,
    workloads: Mapping[str, Workload],
    actions: Mapping[str, Action],
    instruments: Instruments,
    store: IncidentStore,
    leases: Leases,
    clock: Clock,
) -> StepResult:
    """Look closer again for the next remedy. An attempt that changed nothing needs no undoing.

    A change whose action is not reversible stays as it is, and the timeline says so.

    The lease is taken anew: long after the change (usecases/sweep.py) it may have run out, and be another incident's.

    Raises ConflictError where it is, DriftedError where somebody else changed the target since, RefusedError where
    AWS will not take it back, SourceDownError. All four need people.
    """
    case = store.case(incident_id)
    this = case.attempt(attempt)
    again = StepResult(next=Next.CHECK, attempt=attempt + 1)
    plan = this.plan
    if plan is None or this.status not in MADE:
        return again
    action = actions[plan.action]
    if not action.declaration.reversible:
        stays = Entry(
            key=f"attempt-{attempt}-stays",
            at=clock.now(),
            kind=EntryKind.ACTION_UNDONE,
            text=f"{plan.summary}: this stays, it is not taken back by a machine",
            detail={"action": plan.action, "target": plan.target},
        )
        store.note(incident_id, [stays])
        return again
    now = clock.now()
    lasts = timedelta(seconds=workloads[case.incident.workload].limits.lease_seconds)
    leases.acquire(plan.target, incident_id, now + lasts, now)
    current = action.read(instruments, plan)
    standing = plan.standing(current)
    if standing is Standing.DRIFTED:
        raise DriftedError(f"{plan.target}: expected {plan.after}, found {current}; not touched")
    if standing is not Standing.NOT_MADE:
        try:
            action.apply(instruments, plan, plan.before)
        except RefusedError:
            # AWS also refuses to take back what is back: an earlier call may have got through unseen.
            if plan.standing(action.read(instruments, plan)) is not Standing.NOT_MADE:
                raise
    entry = Entry(
        key=f"attempt-{attempt}-undone",
        at=clock.now(),
        kind=EntryKind.ACTION_UNDONE,
        text=f"{plan.target}: back to the values before",
        detail={"action": plan.action, "target": plan.target, "before": plan.after, "after": plan.before},
    )
    store.save_attempt(incident_id, this.model_copy(update={"status": AttemptStatus.UNDONE}), [entry])
    return again
