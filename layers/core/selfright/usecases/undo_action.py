"""Put the before-values back, but only over our own change."""

from __future__ import annotations

from collections.abc import Mapping

from selfright.domain.errors import DriftedError
from selfright.domain.incident import AttemptStatus, Entry, EntryKind, Standing
from selfright.domain.steps import Next, StepResult
from selfright.ports import Action, Clock, IncidentStore, Instruments

MADE = {AttemptStatus.INTENDED, AttemptStatus.APPLIED, AttemptStatus.VERIFIED}


def undo_action(
    incident_id: str,
    attempt: int,
    *,
    actions: Mapping[str, Action],
    instruments: Instruments,
    store: IncidentStore,
    clock: Clock,
) -> StepResult:
    """Look closer again for the next remedy. An attempt that changed nothing needs no undoing.

    Raises DriftedError where somebody else changed the target since, RefusedError where AWS will not take it back,
    SourceDownError. All three need people.
    """
    this = store.case(incident_id).attempt(attempt)
    again = StepResult(next=Next.CHECK, attempt=attempt + 1)
    plan = this.plan
    if plan is None or this.status not in MADE:
        return again
    action = actions[plan.action]
    current = action.read(instruments, plan)
    standing = plan.standing(current)
    if standing is Standing.DRIFTED:
        raise DriftedError(f"{plan.target}: expected {plan.after}, found {current}; not touched")
    if standing is not Standing.NOT_MADE:
        action.apply(instruments, plan, plan.before)
    entry = Entry(
        key=f"attempt-{attempt}-undone",
        at=clock.now(),
        kind=EntryKind.ACTION_UNDONE,
        text=f"{plan.target}: back to the values before",
        detail={"action": plan.action, "target": plan.target, "before": plan.after, "after": plan.before},
    )
    store.save_attempt(incident_id, this.model_copy(update={"status": AttemptStatus.UNDONE}), [entry])
    return again
