"""Publish the versions that are to go live; nobody is sent to them yet."""

from __future__ import annotations

from collections.abc import Mapping

from selfright.domain.errors import BusyError
from selfright.domain.manifest import When, Workload
from selfright.domain.release import LogLine, Milestone, ReleaseStatus, StopReason
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.ports import Clock, Leases, ReleaseLedger, Versions
from selfright.usecases.release_lock import take_lock


def publish_release(
    release_id: str,
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    leases: Leases,
    versions: Versions,
    clock: Clock,
) -> ReleaseWord:
    """`test` or `shift` where there is something new, `close` where there is not.

    Raises BusyError while Lambda takes code up (all functions have been asked to by then), RefusedError where an
    artifact is not what was asked for, ConflictError where another release holds the workload.
    """
    release = releases.release(release_id)
    if release.status is not ReleaseStatus.RUNNING:
        return ReleaseWord(next=Then.LEAVE)
    now = clock.now()
    take_lock(release, leases, now)
    artifacts = release.request.artifacts
    candidates: dict[str, str] = {}
    busy: list[str] = []
    for function in release.functions:
        if artifacts and function.key not in artifacts:
            candidates[function.key] = function.before.version
            continue
        try:
            candidates[function.key] = versions.publish(
                function.function, artifacts.get(function.key), release_id
            )
        except BusyError as error:
            busy.append(str(error))
    if busy:
        raise BusyError("; ".join(busy))

    published = release.but(
        functions=tuple(f.model_copy(update={"candidate": candidates[f.key]}) for f in release.functions)
    )
    changes = ", ".join(f"{f.key} {f.before.version} → {f.candidate}" for f in published.changing)
    line = LogLine(
        key="published",
        at=now,
        milestone=Milestone.PUBLISHED,
        text=f"published: {changes or 'nothing new'}",
        detail={"versions": candidates},
    )
    if not published.changing:
        nothing = published.but(
            stop=StopReason.NOTHING_NEW, why="every function of the set is live with this code already"
        )
        releases.save(nothing, line)
        return ReleaseWord(next=Then.CLOSE)
    releases.save(published, line)
    if workloads[release.request.workload].deployment.tested(When.BEFORE):
        return ReleaseWord(next=Then.TEST)
    return ReleaseWord(next=Then.SHIFT, step=1)
