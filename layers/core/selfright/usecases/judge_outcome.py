"""Judge on the alarm's own metric and on the guards whether the change helped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

from selfright.domain.errors import BusyError, NotFoundError
from selfright.domain.incident import AttemptStatus, Entry, EntryKind, IncidentStatus, Plan
from selfright.domain.judgement import METRIC_LAG, Outcome, Watched, judge
from selfright.domain.manifest import Workload
from selfright.domain.steps import Next, StepResult
from selfright.ports import Action, Alarms, Clock, IncidentStore, Instruments

BASELINE = timedelta(minutes=15)


def judge_outcome(
    incident_id: str,
    attempt: int,
    *,
    workloads: Mapping[str, Workload],
    actions: Mapping[str, Action],
    instruments: Instruments,
    store: IncidentStore,
    alarms: Alarms,
    clock: Clock,
) -> StepResult:
    """Close as resolved (healthy), undo (sick or worse), look again (pending), or close for people (unknown).

    Raises NotFoundError where the attempt was never applied or its alarm is gone; SourceDownError.
    """
    case = store.case(incident_id)
    incident, this = case.incident, case.attempt(attempt)
    if this.plan is None or this.applied_at is None:
        raise NotFoundError(f"attempt {attempt} of {incident_id} was never applied")
    if incident.alarm_name is None:
        raise NotFoundError(
            f"{incident_id} was not reported by an alarm: nothing tells whether a change helped"
        )
    workload = workloads[incident.workload]
    now, applied_at = clock.now(), this.applied_at
    deadline = applied_at + timedelta(seconds=workload.verification.verify_within_seconds)
    baseline = max(min(case.episode, applied_at) - BASELINE, applied_at - timedelta(hours=1))

    def watch(name: str) -> Watched:
        return alarms.watch(name, baseline, now)

    trigger = watch(incident.alarm_name)
    guards = [watch(g.name) for g in workload.guard_alarms if g.name != incident.alarm_name]
    judgement = judge(
        trigger,
        guards,
        applied_at=applied_at,
        final_until=now - METRIC_LAG,
        now=now,
        deadline=deadline,
        baseline=baseline,
    )
    if instead := _not_in_force(actions[this.plan.action], instruments, this.plan, in_time=now < deadline):
        outcome, reason = instead
        judgement = judgement.model_copy(update={"outcome": outcome, "reason": reason})

    if judgement.outcome is Outcome.PENDING:
        # Not past the deadline: the lease on the target would run out during a long period.
        left = math.ceil((deadline - now).total_seconds())
        return StepResult(next=Next.SETTLE, attempt=attempt, wait=min(trigger.definition.period, left))
    entry = Entry(
        key=f"attempt-{attempt}-judged",
        at=now,
        kind=EntryKind.OUTCOME_JUDGED,
        text=f"{judgement.outcome} on {judgement.metric}",
        detail=judgement.model_dump(mode="json"),
    )
    status = AttemptStatus.VERIFIED if judgement.outcome is Outcome.HEALTHY else AttemptStatus.APPLIED
    store.save_attempt(
        incident_id, this.model_copy(update={"judgement": judgement, "status": status}), [entry]
    )
    match judgement.outcome:
        case Outcome.HEALTHY:
            return StepResult(
                next=Next.CLOSE, attempt=attempt, status=IncidentStatus.RESOLVED, reason=this.plan.summary
            )
        case Outcome.UNKNOWN:
            return StepResult(
                next=Next.CLOSE,
                attempt=attempt,
                status=IncidentStatus.ESCALATED,
                reason=f"cannot tell whether it helped: {judgement.reason}",
            )
        case _:
            return StepResult(next=Next.UNDO, attempt=attempt)


def _not_in_force(
    action: Action, instruments: Instruments, plan: Plan, *, in_time: bool
) -> tuple[Outcome, str] | None:
    """The verdict where the planned values are not those of the resource; None where they are.

    A change that AWS has not finished proves nothing yet. One that somebody else took back proves nothing at all:
    waiting would only keep the lease, and people in the dark.
    """
    try:
        current = action.read(instruments, plan)
    except BusyError as busy:
        return Outcome.PENDING if in_time else Outcome.UNKNOWN, str(busy)
    if current == plan.after:
        return None
    return Outcome.UNKNOWN, f"the change is not in force: found {current}"
