"""Carry out the chosen remedy: plan on fresh state, ask the gates, take the lease, record before-values, act.

The order makes every crash harmless. Before the record nothing was changed. After it the values on AWS tell what
happened: equal to the plan's `after`, the change is made; equal to `before`, it is not; a mix of both, it was cut
off between two calls; anything else, somebody else was there and we keep our hands off. They are read once more
under the lease, so that nobody's change between plan and lease is overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from selfright.domain.budget import Budget
from selfright.domain.errors import ConflictError, DriftedError, NotFoundError, RefusedError
from selfright.domain.gates import absurdity, ask_gates
from selfright.domain.incident import (
    Attempt,
    AttemptStatus,
    CaseFile,
    Entry,
    EntryKind,
    IncidentStatus,
    Plan,
    Standing,
)
from selfright.domain.judgement import METRIC_LAG
from selfright.domain.manifest import Workload
from selfright.domain.runbook import Remedy, Runbook
from selfright.domain.steps import Next, StepResult
from selfright.ports import (
    Action,
    Alarms,
    Clock,
    Functions,
    History,
    IncidentStore,
    Instruments,
    Leases,
    ReleaseLedger,
    SwitchBoard,
)
from selfright.usecases.gate_facts import gate_facts
from selfright.usecases.stopping import gates_entry, must_be_answered, stopped

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
    history: History,
    releases: ReleaseLedger,
    functions: Functions,
    alarms: Alarms,
    switches: SwitchBoard,
    clock: Clock,
) -> StepResult:
    """Let the change settle, undo it (made in part, it must not be completed), try the next remedy (this one was
    refused), or close (a gate stopped it).

    Raises DriftedError where somebody else changed the target meanwhile; SourceDownError where AWS could not be
    asked. Both leave a record that `undo_action` can work with.
    """
    case = store.case(incident_id)
    incident, this = case.incident, case.attempt(attempt)
    workload = workloads[incident.workload]
    # One look is enough in the ordinary case: by then the metrics of the settled time have arrived, too.
    wait = workload.verification.settle_seconds + int(METRIC_LAG.total_seconds())
    settle = StepResult(next=Next.SETTLE, attempt=attempt, wait=wait)
    if this.status in DONE:
        return settle
    remedy = _remedy(case, this, runbooks)
    action = actions[remedy.use]

    def ask(plan: Plan | None, standing: Standing) -> tuple[Attempt, StepResult | None]:
        """The attempt with the gates' verdicts, saved, and what they lead to where they do not say go."""
        about = this.model_copy(update={"plan": plan, "episode": case.episode})
        facts = gate_facts(
            case,
            workload,
            about,
            alarms=alarms,
            switches=switches,
            leases=leases,
            history=history,
            releases=releases,
            functions=functions,
            clock=clock,
        )
        gates = ask_gates(facts)
        stop = stopped(gates, attempt)
        about = about.model_copy(update={"gates": gates})
        if stop and standing is Standing.NOT_MADE:
            about = about.model_copy(update={"status": AttemptStatus.REFUSED})
        store.save_attempt(incident_id, about, [gates_entry(f"attempt-{attempt}-gates", gates, clock.now())])
        must_be_answered(gates)
        return about, stop

    standing = Standing.NOT_MADE
    if this.status is AttemptStatus.INTENDED and this.plan:
        plan = this.plan
        standing = _standing(action, instruments, plan)
    else:
        # From numbers that cannot be true no plan is worked out: the gates stop before one exists.
        if absurdity(this.facts) and (stop := ask(None, standing)[1]):
            return stop
        try:
            plan = action.plan(
                instruments, incident.resource, workload.resource(incident.resource), this.facts
            )
        except (RefusedError, NotFoundError) as refusal:
            holder = leases.holder(workload.resource(incident.resource).name, clock.now())
            if holder not in (None, incident_id):
                # What this remedy would change, the other incident has changed already: its verdict counts.
                why = f"{holder} has it, and {refusal}"
                return _lost_the_race(this, Standing.NOT_MADE, why, store, incident_id)
            return _refused(this, str(refusal), store, incident_id, clock)
    if standing is Standing.MADE:
        _applied(this, plan, store, incident_id, clock)
        return settle

    this, stop = ask(plan, standing)
    if stop:
        return stop if standing is Standing.NOT_MADE else StepResult(next=Next.UNDO, attempt=attempt)

    instead = _act(
        incident_id,
        this,
        plan,
        standing,
        workload=workload,
        action=action,
        instruments=instruments,
        store=store,
        leases=leases,
        clock=clock,
    )
    return instead or settle


def _act(
    incident_id: str,
    this: Attempt,
    plan: Plan,
    standing: Standing,
    *,
    workload: Workload,
    action: Action,
    instruments: Instruments,
    store: IncidentStore,
    leases: Leases,
    clock: Clock,
) -> StepResult | None:
    """Make the change, or what is left of it. None: made; else what comes instead."""
    now = clock.now()
    # The lease outlives the latest verdict, so that nobody changes the target while it is being judged.
    seconds = max(workload.limits.lease_seconds, 2 * workload.verification.verify_within_seconds)
    try:
        fence = leases.acquire(plan.target, incident_id, now + timedelta(seconds=seconds), now)
        intended = this.model_copy(
            update={
                "fence": fence,
                "status": AttemptStatus.INTENDED,
                "intended_at": this.intended_at or now,
            }
        )
        store.intend(incident_id, intended, plan.target, _budget(workload), now)
    except ConflictError as lost:
        return _lost_the_race(this, standing, str(lost), store, incident_id)
    try:
        if _standing(action, instruments, plan) is not Standing.MADE:
            action.apply(instruments, plan, plan.after)
    except RefusedError as refusal:
        # AWS also refuses to make a change that is made: an earlier call may have got through unseen.
        standing = _standing(action, instruments, plan)
        if standing is Standing.NOT_MADE:
            return _refused(intended, str(refusal), store, incident_id, clock)
        if standing is Standing.PARTLY_MADE:
            return StepResult(next=Next.UNDO, attempt=this.number)
    _applied(intended, plan, store, incident_id, clock)
    return None


def _remedy(case: CaseFile, attempt: Attempt, runbooks: Mapping[str, Runbook]) -> Remedy:
    runbook = runbooks[str(case.incident.runbook)]
    for remedy in runbook.remedies:
        if remedy.id == attempt.remedy:
            return remedy
    raise NotFoundError(f"runbook {runbook.id} has no remedy {attempt.remedy}")


def _standing(action: Action, instruments: Instruments, plan: Plan) -> Standing:
    """Whether the change is in force. Raises DriftedError where somebody else changed the target."""
    current = action.read(instruments, plan)
    standing = plan.standing(current)
    if standing is Standing.DRIFTED:
        raise DriftedError(f"{plan.target}: expected {plan.before} or {plan.after}, found {current}")
    return standing


def _budget(workload: Workload) -> Budget:
    return Budget(
        workload=workload.workload,
        environment=workload.environment,
        per_hour=workload.limits.actions_per_hour,
        per_day=workload.limits.actions_per_day,
    )


def _lost_the_race(
    attempt: Attempt, standing: Standing, why: str, store: IncidentStore, incident_id: str
) -> StepResult:
    if standing is Standing.PARTLY_MADE:
        return StepResult(next=Next.UNDO, attempt=attempt.number)
    store.save_attempt(incident_id, attempt.model_copy(update={"status": AttemptStatus.REFUSED}))
    return StepResult(
        next=Next.CLOSE,
        attempt=attempt.number,
        status=IncidentStatus.HELD,
        reason=f"another incident was faster: {why}",
    )


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


def _applied(attempt: Attempt, plan: Plan, store: IncidentStore, incident_id: str, clock: Clock) -> None:
    now = clock.now()
    entry = Entry(
        key=f"attempt-{attempt.number}-applied",
        at=now,
        kind=EntryKind.ACTION_APPLIED,
        text=plan.summary,
        detail={"action": plan.action, "target": plan.target, "before": plan.before, "after": plan.after},
    )
    done = attempt.model_copy(update={"status": AttemptStatus.APPLIED, "applied_at": now})
    store.save_attempt(incident_id, done, [entry])
