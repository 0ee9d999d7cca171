"""Put every alias of a release back to what it was before, in reverse order, and see that it is so.

Allowed at any time, in a freeze and with the kill switch on: what is half-way is no state to stop in. Every alias is
written also where it looks right already: its new revision turns away a step of `deploy` that comes late
(usecases/shift_traffic.py). Nothing is deleted, so an earlier version can always be gone back to.

Reading is done for many aliases at once, writing one by one: the order is kept, and twenty functions still take no
longer than Lambda's quota allows (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from selfright.domain.errors import BusyError, ConflictError, DriftedError, SelfrightError
from selfright.domain.release import (
    Aliased,
    LogLine,
    Milestone,
    Release,
    ReleaseStatus,
    StopReason,
)
from selfright.domain.release.steps import NOBODY, ReleaseWord, RollBackStep, Then, in_words, left_to_put_back
from selfright.domain.serving import AliasState
from selfright.ports import Clock, Functions, Leases, ReleaseLedger, Versions
from selfright.release_ports import StateMachines
from selfright.usecases.named_way_back import towards
from selfright.usecases.release_lock import take_lock
from selfright.usecases.released_aliases import read_alias, route_alias

# What stands as it stands: nothing was changed, or it was put back already.
NOTHING_TO_UNDO = {ReleaseStatus.REFUSED, ReleaseStatus.ROLLED_BACK}
# A call to Lambda takes some 50 ms, and all but a few kinds together may be made 15 times a second and region:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
READ_AT_ONCE = 4


def roll_back_release(
    step: RollBackStep,
    *,
    releases: ReleaseLedger,
    leases: Leases,
    functions: Functions,
    versions: Versions,
    state_machines: StateMachines,
    clock: Clock,
) -> ReleaseWord:
    """What is next to be put back: `restore_configuration`, `put_stack_back`, or nothing, also before: `close`.

    The step's `reason`, `actor` and `cause` are set where somebody asks for it, `failure` where a step of `deploy`
    failed: that is no reason to touch a release that is over. `to`: an earlier release whose versions are to be live.

    Raises DriftedError, once all others are put back, where somebody else moved an alias: that one is left alone.
    BusyError where an alias was changed this very moment, or another release holds the workload. RefusedError, with
    nothing changed, where there is no way back to `to`.
    """
    release = releases.release(step.release_id)
    if release.status in NOTHING_TO_UNDO or (release.over and step.failure != NOBODY):
        return ReleaseWord(next=Then.CLOSE)
    now = clock.now()
    try:
        take_lock(release, leases, now)
    except ConflictError as error:
        if release.status is ReleaseStatus.REQUESTED:
            return ReleaseWord(next=Then.CLOSE)
        raise BusyError(str(error)) from error
    if step.to != NOBODY:
        release = towards(release, step.to, releases=releases, versions=versions)
    if release.completed and (moved := _moved(release, _aliases(release, functions, state_machines))):
        raise DriftedError(f"{release.id} is not live any more: {', '.join(moved)}")
    release = _mark(_stopped(release, step, now), releases, now)
    put_back, aliases = _put_back(release, functions, versions, state_machines)
    if moved := _moved(release, aliases):
        raise DriftedError(f"somebody else moved {', '.join(moved)}; the rest of {release.id} is put back")

    now = clock.now()
    restored = LogLine(
        key="restored",
        at=now,
        milestone=Milestone.RESTORED,
        text=f"put back: {', '.join(f'{k} → {v}' for k, v in put_back.items()) or 'nothing had been changed'}",
        detail={"versions": put_back},
    )
    return left_to_put_back(releases.save(release.but(restored_at=now), restored))


def _stopped(release: Release, step: RollBackStep, now: datetime) -> Release:
    """With the reason why, where it is not known yet."""
    if step.failure != NOBODY:
        moved = step.failure.startswith(DriftedError.__name__)
        why = StopReason.ALIAS_MOVED if moved else StopReason.STEP_FAILED
        return release.stopped(why, in_words(step.failure), now)
    to = "" if step.to == NOBODY else f" (to {step.to})"
    return release.stopped(step.cause, f"{step.actor}: {step.reason}{to}", now)


def _mark(release: Release, releases: ReleaseLedger, now: datetime) -> Release:
    """On its way back from now on: no step of `deploy` is taken any more."""
    line = LogLine(
        key="going-back",
        at=now,
        milestone=Milestone.STOPPED,
        text=f"going back, {release.stop}: {release.why}",
    )
    stack = release.stack.but(continued=0) if release.stack else None
    return releases.save(release.but(status=ReleaseStatus.ROLLING_BACK, restored_at=None, stack=stack), line)


def _put_back(
    release: Release, functions: Functions, versions: Versions, machines: StateMachines
) -> tuple[dict[str, str], Mapping[str, AliasState]]:
    """Every alias of ours, in reverse order: which version each one is at then, and all aliases as they are.

    Raises what went wrong first, once all others are put back; BusyError where one is not as it was left here.
    """
    before, failed = _looked_at(release, functions, machines)
    done: dict[str, str] = {}
    for one in reversed(release.going_back):
        alias, place = before.get(one.key), one.at(None)
        if alias and _ours(one, alias, release):
            try:
                route_alias(one, place, alias, versions=versions, machines=machines)
                done[one.key] = place[0]
            except SelfrightError as error:
                failed.append(error)
    if failed:
        raise failed[0]
    after = _aliases(release, functions, machines)
    for one in release.going_back:
        alias = after[one.key]
        if one.key in done and (alias.version, dict(alias.weights)) != one.at(None):
            raise BusyError(f"{one.key} was moved while it was put back")
    return done, after


def _aliases(release: Release, functions: Functions, machines: StateMachines) -> Mapping[str, AliasState]:
    """All aliases that a roll-back is about, as they are now. Raises what went wrong first."""
    found, failed = _looked_at(release, functions, machines)
    if failed:
        raise failed[0]
    return found


def _looked_at(
    release: Release, functions: Functions, machines: StateMachines
) -> tuple[Mapping[str, AliasState], list[SelfrightError]]:
    """Those that could be read, and why others could not."""

    def look(one: Aliased) -> AliasState | SelfrightError:
        try:
            return read_alias(one, functions, machines)
        except SelfrightError as error:
            return error

    with ThreadPoolExecutor(max_workers=READ_AT_ONCE) as pool:
        looks = list(zip(release.going_back, pool.map(look, release.going_back), strict=True))
    found = {one.key: state for one, state in looks if isinstance(state, AliasState)}
    return found, [error for _, error in looks if isinstance(error, SelfrightError)]


def _moved(release: Release, aliases: Mapping[str, AliasState]) -> list[str]:
    """What somebody else did to its aliases."""
    return [
        f"{one.key} to version {aliases[one.key].version}"
        for one in release.going_back
        if not _ours(one, aliases[one.key], release)
    ]


def _ours(one: Aliased, alias: AliasState, release: Release) -> bool:
    """Whether the alias is as some step of this release left it."""
    places = [(one.before.version, {}), one.at(None), *(one.at(rung) for rung in release.rungs)]
    return (alias.version, dict(alias.weights)) in places
