"""Put the configurations of a release live, one after the other, and see that each is.

They count for the old code as well as for the new, so they go before any request does. How far one is, is
read from AppConfig each time: a repeated room goes on where the one before it died.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from selfright.domain.errors import BusyError, RefusedError
from selfright.domain.manifest import When, Workload
from selfright.domain.release import LogLine, Milestone, Release, ReleaseStatus, StopReason
from selfright.domain.release.configuration import (
    LARGEST,
    ConfigurationRelease,
    ConfigurationState,
    against,
)
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.ports import Alarms, Clock, Leases, ReleaseLedger
from selfright.release_ports import Artifacts, Configurations
from selfright.usecases.admit_release import red_alarms
from selfright.usecases.release_lock import take_lock

LOOK_SECONDS = 15
# A strategy that takes longer would fill the execution's history with looks, and hold every other deployment up.
LONGEST = timedelta(hours=2)


def configure_release(
    release_id: str,
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    leases: Leases,
    artifacts: Artifacts,
    configurations: Configurations,
    alarms: Alarms,
    clock: Clock,
) -> ReleaseWord:
    """`wait` while one is being deployed, `test` or `shift` when all are live, `roll_back` where one will not be.

    Raises BusyError while somebody else deploys one, RefusedError where AppConfig does not take the content,
    ConflictError where another release holds the workload.
    """
    release = releases.release(release_id)
    if release.status is not ReleaseStatus.RUNNING:
        return ReleaseWord(next=Then.LEAVE)
    if release.stop:
        return ReleaseWord(next=Then.ROLL_BACK)  # found before this room was repeated
    workload, now = workloads[release.request.workload], clock.now()
    take_lock(release, leases, now)
    if red := red_alarms(release, workload, alarms):
        return _stop(release, StopReason.ALARM_WENT_OFF, ", ".join(red), releases, now)
    for one in release.configuration:
        state = configurations.state(one.place)
        if one.candidate is None:
            release, one = _staged(release, one, artifacts, configurations, releases=releases, now=now)  # noqa: PLW2901 - as it is now
        if state.is_at(one.place, one.candidate):
            continue
        if one.candidate in state.taken_back:
            why = f"{one.key}: AppConfig did not let version {one.candidate} stand"
            return _stop(release, StopReason.CONFIGURATION_TAKEN_BACK, why, releases, now)
        if one.started_at and now - one.started_at > LONGEST:
            why = f"{one.key}: not live within {LONGEST}"
            return _stop(release, StopReason.STEP_FAILED, why, releases, now)
        if state.under_way is None and state.live != one.before:
            why = f"{one.key}: somebody else put version {state.live} live"
            return _stop(release, StopReason.CONFIGURATION_MOVED, why, releases, now)
        _go_on(release, one, state, workload, releases=releases, configurations=configurations)
        return ReleaseWord(next=Then.WAIT, wait=LOOK_SECONDS)
    _note(release, releases, now)
    tested = workload.deployment.tested(When.BEFORE)
    return ReleaseWord(next=Then.TEST) if tested else ReleaseWord(next=Then.SHIFT, step=1)


def _staged(
    release: Release,
    one: ConfigurationRelease,
    artifacts: Artifacts,
    configurations: Configurations,
    *,
    releases: ReleaseLedger,
    now: datetime,
) -> tuple[Release, ConfigurationRelease]:
    """With its version on record, before anybody can get it: the way back must know of it."""
    content = artifacts.read(release.request.configurations[one.key], LARGEST)
    if problem := against(content, one.place.kind):
        raise RefusedError(f"{one.key}: {problem}")
    candidate = configurations.stage(one.place, content, release.id)
    staged = one.model_copy(update={"candidate": candidate, "started_at": now})
    others = tuple(staged if other.key == one.key else other for other in release.configuration)
    return releases.save(release.but(configuration=others)), staged


def _go_on(
    release: Release,
    one: ConfigurationRelease,
    state: ConfigurationState,
    workload: Workload,
    *,
    releases: ReleaseLedger,
    configurations: Configurations,
) -> None:
    """Have it deployed, where it is not under way already."""
    if state.changing(one.place) == one.candidate:
        return
    if other := state.under_way:
        raise BusyError(f"{one.key}: somebody deploys version {other.version} of {other.configuration}")
    # Whoever rolls back marks the release and then deploys: either the mark or the number is in the way of a late call.
    if releases.release(release.id).status is not ReleaseStatus.RUNNING:
        return
    strategy = workload.deployment.configurations[one.key].strategy
    configurations.start(one.place, str(one.candidate), state.newest, strategy, release.id)


def _note(release: Release, releases: ReleaseLedger, now: datetime) -> None:
    live = {one.key: one.candidate for one in release.configuration}
    changes = ", ".join(f"{one.key} {one.before} → {one.candidate}" for one in release.configuration)
    line = LogLine(
        key="configured",
        at=now,
        milestone=Milestone.CONFIGURED,
        text=f"live: {changes}",
        detail={"live": live},
    )
    releases.note(release.id, line)


def _stop(
    release: Release, reason: StopReason, why: str, releases: ReleaseLedger, now: datetime
) -> ReleaseWord:
    line = LogLine(
        key=f"stopped-{reason}", at=now, milestone=Milestone.STOPPED, text=f"{reason}: {why}"[:1000]
    )
    releases.save(release.stopped(reason, why, now), line)
    return ReleaseWord(next=Then.ROLL_BACK)
