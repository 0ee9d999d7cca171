"""Put the configurations of a release back to what was live before it, in reverse order, and see that they are.

As for aliases: allowed at any time, also where nothing seems to be changed. The earlier version is deployed once more
then, and the new number turns away a room of `deploy` that comes late (usecases/configure_release.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from selfright.domain.errors import BusyError, DriftedError
from selfright.domain.release import LogLine, Milestone, Release, ReleaseStatus
from selfright.domain.release.configuration import ConfigurationRelease, ConfigurationState
from selfright.domain.release.steps import ReleaseWord, Then, left_to_put_back
from selfright.ports import Clock, Leases, ReleaseLedger
from selfright.release_ports import Configurations
from selfright.usecases.release_lock import take_lock

LOOK_SECONDS = 5


def restore_configuration(
    release_id: str,
    *,
    releases: ReleaseLedger,
    leases: Leases,
    configurations: Configurations,
    clock: Clock,
) -> ReleaseWord:
    """`wait` while an earlier version is being deployed; then `put_stack_back` where the stack is next, or `close`.

    Raises DriftedError, once all others are put back, where somebody else's version is live or on its way: that one is
    left alone. ConflictError where another release holds the workload.
    """
    release = releases.release(release_id)
    if release.status is not ReleaseStatus.ROLLING_BACK:
        return ReleaseWord(next=Then.CLOSE)
    if not release.to_put_back:
        return left_to_put_back(release)  # nothing to do, or put back before this room was repeated
    take_lock(release, leases, clock.now())
    moved: list[str] = []
    for one in release.to_put_back:
        state = configurations.state(one.place)
        if theirs := _somebody_elses(one, state):
            moved.append(f"{one.key} to version {theirs}")
            continue
        if one.fence is None:
            release = releases.save(_with(release, one, fence=state.newest))
        if not _is_back(one, state, state.newest if one.fence is None else one.fence):
            _put_back(one, state, release, configurations)
            return ReleaseWord(next=Then.WAIT, wait=LOOK_SECONDS)
        release = _noted(release, one, releases, clock.now())
    if moved:
        raise DriftedError(f"somebody else moved {', '.join(moved)}; the rest of {release_id} is put back")
    return left_to_put_back(release)


def _somebody_elses(one: ConfigurationRelease, state: ConfigurationState) -> str | None:
    """The version of this configuration that is neither ours nor the earlier one."""
    version = state.changing(one.place) or state.live
    return None if one.is_ours(version) else str(version)


def _is_back(one: ConfigurationRelease, state: ConfigurationState, fence: int) -> bool:
    """Whether the earlier version is live, and by a deployment that is newer than any that `deploy` may have read."""
    return state.is_at(one.place, one.before) and state.newest > fence


def _put_back(
    one: ConfigurationRelease, state: ConfigurationState, release: Release, configurations: Configurations
) -> None:
    other = state.under_way
    if other is None:
        configurations.start(one.place, one.before, state.newest, None, release.id)
    elif other.configuration != one.place.name:
        raise BusyError(f"{one.key}: version {other.version} of {other.configuration} is being deployed")
    elif other.version == one.candidate:
        configurations.stop(one.place, other.number)


def _noted(release: Release, one: ConfigurationRelease, releases: ReleaseLedger, now: datetime) -> Release:
    line = LogLine(
        key=f"restored-configuration-{one.key}",
        at=now,
        milestone=Milestone.RESTORED,
        text=f"put back: {one.key} → version {one.before}",
    )
    restored_at = now if release.restored_at else None  # the aliases' moment, where they are put back
    return releases.save(_with(release, one, put_back=True).but(restored_at=restored_at), line)


def _with(release: Release, one: ConfigurationRelease, **changes: Any) -> Release:
    changed = one.model_copy(update=changes)
    configuration = (changed if other.key == one.key else other for other in release.configuration)
    return release.but(configuration=tuple(configuration))
