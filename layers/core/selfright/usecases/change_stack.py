"""Carry out the change set of a release, and follow it until CloudFormation is done or has taken it back itself."""

from __future__ import annotations

import contextlib
from datetime import datetime

from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.domain.release import LogLine, Milestone, Release, ReleaseStatus, StopReason
from selfright.domain.release.stack import StackChange, StackState, change_set_name
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.ports import Clock, Leases, ReleaseLedger
from selfright.stack_ports import Stacks
from selfright.usecases.release_lock import take_lock

WAIT = ReleaseWord(next=Then.WAIT, wait=15)


def change_stack(
    release_id: str, *, releases: ReleaseLedger, leases: Leases, stacks: Stacks, clock: Clock
) -> ReleaseWord:
    """`wait` and look again, `publish` once the stack is changed, `roll_back` where it is not.

    That it begins is on record before it does: whoever rolls back then knows that there may be something to put back.
    Raises ConflictError where another release holds the workload.
    """
    release = releases.release(release_id)
    if release.status is not ReleaseStatus.RUNNING:
        return ReleaseWord(next=Then.LEAVE)
    if release.stop:
        return ReleaseWord(next=Then.ROLL_BACK)  # found before this room was repeated
    change = release.stack
    if change is None or change.unchanged or change.done_at:
        return ReleaseWord(next=Then.PUBLISH)
    now = clock.now()
    take_lock(release, leases, now)
    try:
        made, state = stacks.change_set(change.name, change_set_name(release_id)), stacks.state(change.name)
        if made and made.execution == "AVAILABLE":
            return _begin(release, change, state, releases, stacks, now=now)
        execution = made.execution if made else "gone"
        if state.moving or execution == "EXECUTE_IN_PROGRESS":
            return WAIT
        if execution != "EXECUTE_COMPLETE" or state.status != "UPDATE_COMPLETE":
            return _stop(release, _what_failed(change, state.status, execution, stacks), releases, now)
    except (RefusedError, NotFoundError) as error:  # the stack may have been deleted meanwhile
        return _stop(releases.release(release_id), str(error), releases, now)
    line = LogLine(key="changed", at=now, milestone=Milestone.CHANGED, text=f"stack {change.name} is changed")
    done = change.but(done_at=now, parameters_after=state.parameters)
    releases.save(release.but(stack=done), line)
    return ReleaseWord(next=Then.PUBLISH)


def _begin(
    release: Release,
    change: StackChange,
    state: StackState,
    releases: ReleaseLedger,
    stacks: Stacks,
    *,
    now: datetime,
) -> ReleaseWord:
    """Raises RefusedError or NotFoundError where CloudFormation does not take it."""
    if objection := state.objection():
        return _stop(release, f"{change.name}: {objection}", releases, now)
    if not change.began_at:
        releases.save(release.but(stack=change.but(began_at=now)))
    with contextlib.suppress(BusyError):  # executed already, or overtaken: the next look tells
        stacks.execute(change.name, change_set_name(release.id))
    return WAIT


def _what_failed(change: StackChange, status: str, execution: str, stacks: Stacks) -> str:
    failed = stacks.failure(change.name, change.began_at) if change.began_at else ""
    return f"{change.name} is {status}, its change set {execution}" + (f": {failed}" if failed else "")


def _stop(release: Release, why: str, releases: ReleaseLedger, now: datetime) -> ReleaseWord:
    if release.status is not ReleaseStatus.RUNNING:
        return ReleaseWord(next=Then.LEAVE)  # whoever rolls it back has discarded the change set
    line = LogLine(
        key="stopped",
        at=now,
        milestone=Milestone.STOPPED,
        text=f"{StopReason.STACK_NOT_CHANGED}: {why}"[:1000],
    )
    releases.save(release.stopped(StopReason.STACK_NOT_CHANGED, why, now), line)
    return ReleaseWord(next=Then.ROLL_BACK)
