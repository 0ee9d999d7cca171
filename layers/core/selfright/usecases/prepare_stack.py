"""Make the change set of a release, and say whether it may be carried out: stack, drift, risk. Nothing is changed yet.

Each look is one call of this room, so that it can be repeated: it goes on from what is on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from selfright.domain.errors import NotFoundError, RefusedError
from selfright.domain.manifest import Workload
from selfright.domain.release import (
    LogLine,
    Milestone,
    Release,
    ReleaseStatus,
    StackChange,
    StackTemplate,
    StopReason,
)
from selfright.domain.release.change_risk import Outcome, findings, overall, told
from selfright.domain.release.stack import ChangeSet, StackState, change_set_name, digest
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.ports import Clock, Leases, ReleaseLedger
from selfright.stack_ports import Stacks, Templates
from selfright.usecases.release_lock import take_lock

# Drift detection and change sets take seconds to minutes.
WAIT = ReleaseWord(next=Then.WAIT, wait=15)
MOST_TOLD = 50  # changes on one line of the log: an item of DynamoDB takes 400 KB


def prepare_stack(
    release_id: str,
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    leases: Leases,
    stacks: Stacks,
    templates: Templates,
    clock: Clock,
) -> ReleaseWord:
    """`change` where it may be carried out, or changes nothing; `close` where it is refused; `wait` and ask again.

    Raises BusyError while somebody else looks for drift, ConflictError where another release holds the workload.
    """
    release = releases.release(release_id)
    if release.status is not ReleaseStatus.RUNNING:
        return ReleaseWord(next=Then.LEAVE)
    if release.stop:
        return ReleaseWord(next=Then.CLOSE)  # refused before this room was repeated
    name, template = workloads[release.request.workload].deployment.stack, release.request.template
    if template is None or name is None or (release.stack and release.stack.after):
        return ReleaseWord(next=Then.CHANGE)  # nothing to do, or done before this room was repeated
    take_lock(release, leases, clock.now())
    try:
        return _prepare(
            release,
            template,
            name,
            releases=releases,
            stacks=stacks,
            templates=templates,
            now=clock.now(),
        )
    except (RefusedError, NotFoundError) as error:
        return _refuse(release, StopReason.CHANGE_NOT_POSSIBLE, str(error), releases, clock.now())


def _prepare(
    release: Release,
    template: StackTemplate,
    name: str,
    *,
    releases: ReleaseLedger,
    stacks: Stacks,
    templates: Templates,
    now: datetime,
) -> ReleaseWord:
    state = stacks.state(name)
    if objection := state.objection():
        return _refuse(release, StopReason.STACK_NOT_READY, f"{name}: {objection}", releases, now)
    if release.stack is None:
        releases.save(release.but(stack=StackChange(name=name, drift=stacks.look_for_drift(name))))
        return WAIT
    drift = stacks.drift(name, str(release.stack.drift))
    if drift.looking:
        return WAIT
    objection = drift.objection()
    if objection and not release.request.break_glass:
        return _refuse(release, StopReason.STACK_DRIFTED, f"{name}: {objection}", releases, now)
    proposed = change_set_name(release.id)
    made = stacks.change_set(name, proposed)
    if made is None:
        _see_it_can_go_back(state, template.parameters)
        stacks.propose(name, proposed, templates.fetch(template), template.parameters)
        return WAIT
    if made.pending:
        return WAIT
    change = _judged(release, made, state, stacks, templates)
    stopped = _too_risky(release, change)
    if stopped or change.unchanged:
        stacks.discard(name, proposed)
    if stopped:
        refused = release.but(stack=change.but(after=""))
        return _refuse(refused, *stopped, releases, now)
    releases.save(release.but(stack=change), _line(change, made, objection, now))
    return ReleaseWord(next=Then.CHANGE)


def _judged(
    release: Release, made: ChangeSet, state: StackState, stacks: Stacks, templates: Templates
) -> StackChange:
    """What the change set would do, and what it takes to go back from it.

    Raises RefusedError where CloudFormation could not make it, or it could not be gone back from.
    """
    change = release.stack or StackChange(name="")
    name, proposed = change.name, change_set_name(release.id)
    if made.empty:
        return change.but(unchanged=True, after="unchanged")
    if made.status != "CREATE_COMPLETE" or made.execution != "AVAILABLE":
        raise RefusedError(f"change set {proposed} is {made.status}, {made.execution}: {made.reason}")
    if gone := sorted(k for k, v in state.parameters.items() if v is None and k not in made.parameters):
        raise RefusedError(f"{', '.join(gone)}: a parameter that is not told (NoEcho) could not be put back")
    earlier = stacks.template(name)
    templates.keep(release.id, earlier)
    return change.but(
        findings=findings(made.changes, stacks.resources(name), stacks.resources(name, proposed)),
        added=tuple(one.resource for one in made.changes if one.action == "Add"),
        before=digest(earlier),
        after=digest(stacks.template(name, proposed)),
        parameters_before=state.parameters,
    )


def _see_it_can_go_back(state: StackState, parameters: Mapping[str, str]) -> None:
    """Raises RefusedError for a parameter whose present value nobody is told."""
    if hidden := sorted(
        key for key in parameters if key in state.parameters and state.parameters[key] is None
    ):
        raise RefusedError(
            f"template.parameters.{hidden[0]}: is not told (NoEcho), so it could not be put back"
        )


def _too_risky(release: Release, change: StackChange) -> tuple[StopReason, str] | None:
    outcome = overall(change.findings)
    why = told(finding for finding in change.findings if finding.outcome is outcome)
    if outcome is Outcome.STOP:
        return StopReason.CHANGE_TOO_RISKY, why
    if outcome is Outcome.ASK and not release.request.answered_for:
        return StopReason.CHANGE_NOT_APPROVED, f"must name an approver other than the one who asks: {why}"
    return None


def _line(change: StackChange, made: ChangeSet, drift: str | None, now: datetime) -> LogLine:
    changes = ", ".join(f"{one.action} {one.resource}" for one in made.changes) or "nothing to change"
    asked = f"; approved: {told(change.findings)}" if change.findings else ""
    over = f"; the glass is broken over its drift: {drift}" if drift else ""
    return LogLine(
        key="prepared",
        at=now,
        milestone=Milestone.PREPARED,
        text=f"stack {change.name}: {changes}{asked}{over}"[:1000],
        detail={
            "changes": [one.model_dump(mode="json") for one in made.changes[:MOST_TOLD]],
            "findings": [finding.model_dump(mode="json") for finding in change.findings[:MOST_TOLD]],
        },
    )


def _refuse(
    release: Release, reason: StopReason, why: str, releases: ReleaseLedger, now: datetime
) -> ReleaseWord:
    found = release.stack.findings if release.stack else ()
    line = LogLine(
        key="refused",
        at=now,
        milestone=Milestone.REFUSED,
        text=f"refused: {reason}: {why}"[:1000],
        detail={"findings": [finding.model_dump(mode="json") for finding in found[:MOST_TOLD]]},
    )
    releases.save(release.but(stop=reason, why=why[:1000]), line)
    return ReleaseWord(next=Then.CLOSE)
