"""Put every alias of a release back to what it was before, in reverse order, and see that it is so.

Allowed at any time, in a freeze and with the kill switch on: what is half-way is no state to stop in. Every alias is
written also where it looks right already: its new revision turns away a step of `deploy` that comes late
(usecases/shift_traffic.py). Nothing is deleted, so an earlier version can always be gone back to.
"""

from __future__ import annotations

from datetime import datetime

from selfright.domain.errors import BusyError, ConflictError, DriftedError, SelfrightError
from selfright.domain.release import (
    FunctionRelease,
    LogLine,
    Milestone,
    Release,
    ReleaseStatus,
    StopReason,
)
from selfright.domain.release.steps import SWEEP, ReleaseWord, Then, in_words
from selfright.domain.serving import AliasState
from selfright.ports import Clock, Functions, Leases, ReleaseLedger, Versions
from selfright.usecases.release_lock import take_lock

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
    clock: Clock,
) -> ReleaseWord:
    """`close`, also where there is nothing to put back.

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
    if release.status is ReleaseStatus.COMPLETED and (moved := _moved(release, functions)):
        raise DriftedError(f"{release_id} is not live any more: {', '.join(moved)}")
    release = _mark(_stopped(release, reason, actor, failure, now), releases, now)
    put_back = _put_back(release, functions, versions)
    if moved := _moved(release, functions):
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
    return ReleaseWord(next=Then.CLOSE)


def _stopped(release: Release, reason: str, actor: str, failure: str, now: datetime) -> Release:
    """With the reason why, where it is not known yet."""
    if failure != "none":
        moved = failure.startswith(DriftedError.__name__)
        why = StopReason.ALIAS_MOVED if moved else StopReason.STEP_FAILED
        return release.stopped(why, in_words(failure), now)
    asked = StopReason.EXECUTION_LOST if actor == SWEEP else StopReason.BY_HAND
    return release.stopped(asked, f"{actor}: {reason}", now)


def _mark(release: Release, releases: ReleaseLedger, now: datetime) -> Release:
    """On its way back from now on: no step of `deploy` is taken any more."""
    line = LogLine(
        key="going-back",
        at=now,
        milestone=Milestone.STOPPED,
        text=f"going back, {release.stop}: {release.why}",
    )
    return releases.save(release.but(status=ReleaseStatus.ROLLING_BACK, restored_at=None), line)


def _put_back(release: Release, functions: Functions, versions: Versions) -> dict[str, str]:
    """Every alias of ours, in reverse order; which version each one is at then.

    Raises what went wrong first, once all others are put back; BusyError where one is not as it was left here.
    """
    done: dict[str, str] = {}
    failed: list[SelfrightError] = []
    for function in reversed(release.changing):
        try:
            alias = functions.alias(function.function, function.alias)
            if _ours(function, alias, release):
                versions.route(function.function, function.alias, function.before.version, {}, alias.revision)
                done[function.key] = function.before.version
        except SelfrightError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    for function in release.changing:
        if function.key in done:
            alias = functions.alias(function.function, function.alias)
            if (alias.version, dict(alias.weights)) != function.at(None):
                raise BusyError(f"{function.key} was moved while it was put back")
    return done


def _moved(release: Release, functions: Functions) -> list[str]:
    """What somebody else did to its aliases."""
    aliases = {f.key: (f, functions.alias(f.function, f.alias)) for f in release.changing}
    return [
        f"{key} to version {alias.version}"
        for key, (f, alias) in aliases.items()
        if not _ours(f, alias, release)
    ]


def _ours(function: FunctionRelease, alias: AliasState, release: Release) -> bool:
    """Whether the alias is as some step of this release left it."""
    places = [function.at(None), *(function.at(rung) for rung in release.rungs)]
    return (alias.version, dict(alias.weights)) in places
