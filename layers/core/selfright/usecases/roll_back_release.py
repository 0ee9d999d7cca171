"""Put every alias of a release back to what it was before, in reverse order, and see that it is so.

Allowed at any time, in a freeze and with the kill switch on: what is half-way is no state to stop in. Every alias is
written also where it looks right already: its new revision turns away a step of `deploy` that comes late
(usecases/shift_traffic.py). Nothing is deleted, so an earlier version can always be gone back to.
"""

from __future__ import annotations

from datetime import datetime

from selfright.domain.errors import BusyError, ConflictError, DriftedError
from selfright.domain.release import (
    Aliased,
    LogLine,
    Milestone,
    Release,
    ReleaseStatus,
    StopReason,
)
from selfright.domain.release.steps import ReleaseWord, Then, in_words
from selfright.domain.serving import AliasState
from selfright.ports import Clock, Functions, Leases, ReleaseLedger, Versions
from selfright.release_ports import StateMachines
from selfright.usecases.release_lock import take_lock
from selfright.usecases.released_aliases import read_alias, route_alias

# What stands as it stands: nothing was changed, or it was put back already.
NOTHING_TO_UNDO = {ReleaseStatus.REFUSED, ReleaseStatus.ROLLED_BACK}


def roll_back_release(
    release_id: str,
    reason: str = "none",
    actor: str = "none",
    failure: str = "none",
    *,
    releases: ReleaseLedger,
    leases: Leases,
    functions: Functions,
    versions: Versions,
    state_machines: StateMachines,
    clock: Clock,
) -> ReleaseWord:
    """`close`, also where there is nothing to put back; `restore_configuration` where that has to follow.

    `reason` and `actor` are set where a person asks for it, `failure` where a step of `deploy` failed: that is no
    reason to touch a release that is over.

    Raises DriftedError, once all others are put back, where somebody else moved an alias: that one is left alone.
    BusyError where an alias was changed this very moment, or another release holds the workload.
    """
    release = releases.release(release_id)
    if release.status in NOTHING_TO_UNDO or (release.over and failure != "none"):
        return ReleaseWord(next=Then.CLOSE)
    now = clock.now()
    try:
        take_lock(release, leases, now)
    except ConflictError as error:
        if release.status is ReleaseStatus.REQUESTED:
            return ReleaseWord(next=Then.CLOSE)
        raise BusyError(str(error)) from error
    if release.status is ReleaseStatus.COMPLETED and (moved := _moved(release, functions, state_machines)):
        raise DriftedError(f"{release_id} is not live any more: {', '.join(moved)}")
    release = _mark(_stopped(release, reason, actor, failure, now), releases, now)
    put_back = _put_back(release, functions, versions, state_machines)
    if moved := _moved(release, functions, state_machines):
        raise DriftedError(f"somebody else moved {', '.join(moved)}; the rest of {release_id} is put back")

    now = clock.now()
    restored = LogLine(
        key="restored",
        at=now,
        milestone=Milestone.RESTORED,
        text=f"put back: {', '.join(f'{k} → {v}' for k, v in put_back.items()) or 'nothing had been changed'}",
        detail={"versions": put_back},
    )
    releases.save(release.but(restored_at=now), restored)
    return ReleaseWord(next=Then.RESTORE_CONFIGURATION if release.to_put_back else Then.CLOSE)


def _stopped(release: Release, reason: str, actor: str, failure: str, now: datetime) -> Release:
    """With the reason why, where it is not known yet."""
    if failure != "none":
        moved = failure.startswith(DriftedError.__name__)
        why = StopReason.ALIAS_MOVED if moved else StopReason.STEP_FAILED
        return release.stopped(why, in_words(failure), now)
    return release.stopped(StopReason.BY_HAND, f"{actor}: {reason}", now)


def _mark(release: Release, releases: ReleaseLedger, now: datetime) -> Release:
    """On its way back from now on: no step of `deploy` is taken any more."""
    line = LogLine(
        key="going-back",
        at=now,
        milestone=Milestone.STOPPED,
        text=f"going back, {release.stop}: {release.why}",
    )
    return releases.save(release.but(status=ReleaseStatus.ROLLING_BACK, restored_at=None), line)


def _put_back(
    release: Release, functions: Functions, versions: Versions, machines: StateMachines
) -> dict[str, str]:
    """Every alias of ours, in reverse order; which version each one is at then.

    Raises BusyError where one is not as it was left here.
    """
    done: dict[str, str] = {}
    for one in reversed(release.shifting):
        alias = read_alias(one, functions, machines)
        if _ours(one, alias, release):
            route_alias(one, one.at(None), alias, versions=versions, machines=machines)
            done[one.key] = one.before.version
    for one in release.shifting:
        if one.key in done:
            alias = read_alias(one, functions, machines)
            if (alias.version, dict(alias.weights)) != one.at(None):
                raise BusyError(f"{one.key} was moved while it was put back")
    return done


def _moved(release: Release, functions: Functions, machines: StateMachines) -> list[str]:
    """What somebody else did to its aliases."""
    aliases = [(one, read_alias(one, functions, machines)) for one in release.shifting]
    return [
        f"{one.key} to version {alias.version}" for one, alias in aliases if not _ours(one, alias, release)
    ]


def _ours(one: Aliased, alias: AliasState, release: Release) -> bool:
    """Whether the alias is as some step of this release left it."""
    places = [one.at(None), *(one.at(rung) for rung in release.rungs)]
    return (alias.version, dict(alias.weights)) in places
