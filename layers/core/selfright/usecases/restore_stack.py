"""Put the stack of a release back, by a change set with the template and parameters from before.

Where CloudFormation rolls back itself, that is waited for. Nothing goes that holds data and is older than the release.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

from selfright.domain.errors import BusyError, DriftedError, RefusedError
from selfright.domain.release import LogLine, Milestone, Release, ReleaseStatus, StackChange
from selfright.domain.release.change_risk import Outcome, findings, told
from selfright.domain.release.stack import ChangeSet, StackState, change_set_name, digest
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.ports import Clock, Leases, ReleaseLedger
from selfright.stack_ports import Stacks, Templates
from selfright.usecases.release_lock import take_lock

MOST_CONTINUED = 2  # a roll-back that fails so often needs people
WAIT = ReleaseWord(next=Then.WAIT, wait=15)


def restore_stack(
    release_id: str,
    *,
    releases: ReleaseLedger,
    leases: Leases,
    stacks: Stacks,
    templates: Templates,
    clock: Clock,
) -> ReleaseWord:
    """`wait` and look again, or `close` once the stack is as before.

    Raises DriftedError where somebody else changed the stack since, RefusedError where going back would lose what
    it must not, or CloudFormation does not do it, NotFoundError where the stack is gone: people are needed.
    """
    release = releases.release(release_id)
    change = release.stack
    if release.status is not ReleaseStatus.ROLLING_BACK or change is None or release.stack_is_back:
        return ReleaseWord(next=Then.CLOSE)
    now = clock.now()
    take_lock(release, leases, now)
    state = stacks.state(change.name)
    if state.moving:
        return WAIT
    forward = stacks.change_set(change.name, change_set_name(release_id))
    if forward and forward.execution == "AVAILABLE":  # never executed
        stacks.discard(change.name, change_set_name(release_id))
        return _restored(release, change, "had not been changed", releases, now)
    if state.status == "UPDATE_ROLLBACK_FAILED":
        return _go_on(release, change, state, stacks, releases)
    if objection := state.objection():
        raise RefusedError(f"{change.name}: {objection}")
    current = digest(stacks.template(change.name))
    if state.status == "UPDATE_ROLLBACK_COMPLETE" and current == change.before and not change.done_at:
        return _restored(release, change, "was put back by CloudFormation itself", releases, now)
    return _reverse(
        release, change, state, current, releases=releases, stacks=stacks, templates=templates, now=now
    )


def _go_on(
    release: Release, change: StackChange, state: StackState, stacks: Stacks, releases: ReleaseLedger
) -> ReleaseWord:
    if change.continued >= MOST_CONTINUED:
        raise RefusedError(
            f"{change.name} is {state.status} again: {state.reason or 'no reason given'}; put right what is in the way,"
            " or give resources up with `selfright deploy unstick --skip`"
        )
    releases.save(release.but(stack=change.but(continued=change.continued + 1)))
    stacks.go_on_rolling_back(change.name)
    return WAIT


def _reverse(
    release: Release,
    change: StackChange,
    state: StackState,
    current: str,
    *,
    releases: ReleaseLedger,
    stacks: Stacks,
    templates: Templates,
    now: datetime,
) -> ReleaseWord:
    name = change_set_name(release.id, back=True)
    made = stacks.change_set(change.name, name)
    if made and made.execution == "EXECUTE_COMPLETE":
        if current != change.before:
            raise DriftedError(f"somebody else changed {change.name} since it was put back")
        return _restored(release, change, "is put back by a change set", releases, now)
    if current not in {change.before, change.after} or _parameters_moved(change, state):
        raise DriftedError(f"somebody else changed {change.name} since {release.id} did")
    if made is None:
        stacks.propose(change.name, name, templates.kept(release.id), change.parameters_before)
        return WAIT
    if made.pending:
        return WAIT
    if made.empty:
        stacks.discard(change.name, name)
        return _restored(release, change, "is as it was before", releases, now)
    if made.execution != "AVAILABLE":
        failed = stacks.failure(change.name, change.began_at or now)
        stacks.discard(change.name, name)  # the next attempt makes a new one
        raise RefusedError(f"change set {name} is {made.status}, {made.execution}: {made.reason or failed}")
    _see_nothing_is_lost(release, change, made)
    with contextlib.suppress(BusyError):  # executed by this room before it was repeated
        stacks.execute(change.name, name)
    return WAIT


def _parameters_moved(change: StackChange, state: StackState) -> bool:
    after = change.parameters_after
    return after is not None and dict(after) != dict(state.parameters)


def _see_nothing_is_lost(release: Release, change: StackChange, made: ChangeSet) -> None:
    """What a release that was never completed has added itself may go again. Raises RefusedError."""
    own = set() if release.closed_at else set(change.added)
    lost = [f for f in findings(made.changes) if f.outcome is Outcome.STOP and f.resource not in own]
    if lost:
        raise RefusedError(f"putting {change.name} back: " + told(lost))


def _restored(
    release: Release, change: StackChange, how: str, releases: ReleaseLedger, now: datetime
) -> ReleaseWord:
    line = LogLine(
        key="restored-stack", at=now, milestone=Milestone.RESTORED, text=f"stack {change.name} {how}"
    )
    releases.save(release.but(stack=change.but(restored_at=now), restored_at=now), line)
    return ReleaseWord(next=Then.CLOSE)
