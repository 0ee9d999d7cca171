"""Publish the versions that are to go live; nobody is sent to them yet."""

from __future__ import annotations

from selfright.domain.errors import BusyError
from selfright.domain.release import FunctionRelease, LogLine, Milestone, ReleaseStatus, StopReason
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.ports import Clock, Leases, ReleaseLedger, Versions
from selfright.usecases.release_lock import take_lock


def publish_release(
    release_id: str, *, releases: ReleaseLedger, leases: Leases, versions: Versions, clock: Clock
) -> ReleaseWord:
    """`shift` where there is something new, or the stack was changed, `close` where there is not.

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
        functions=tuple(
            _published(function, candidates[function.key], versions) for function in release.functions
        )
    )
    changes = ", ".join(f"{f.key} {f.before.version} → {f.candidate}" for f in published.changing)
    line = LogLine(
        key="published",
        at=now,
        milestone=Milestone.PUBLISHED,
        text=f"published: {changes or 'nothing new'}",
        detail={"versions": candidates},
    )
    if not published.changing and published.stack and published.stack.done_at:
        # Only the stack changes: what remains is the bake, with the alarms as judges.
        releases.save(published.but(rungs=published.rungs[-1:]), line)
        return ReleaseWord(next=Then.SHIFT, step=1)
    if not artifacts and (
        again := [f"{f.key} {f.candidate}" for f in published.changing if f.candidate in f.went_back]
    ):
        why = f"{', '.join(again)} went back with an earlier release; name the artifact that is meant"
        # Nobody was sent to it: without candidates there is nothing to put back.
        releases.save(release.but(stop=StopReason.WENT_BACK, why=why), line)
        return ReleaseWord(next=Then.ROLL_BACK if release.touched else Then.CLOSE)
    if not published.changing:
        nothing = published.but(
            stop=StopReason.NOTHING_NEW, why="every function of the set is live with this code already"
        )
        releases.save(nothing, line)
        return ReleaseWord(next=Then.CLOSE)
    releases.save(published, line)
    return ReleaseWord(next=Then.SHIFT, step=1)


def _published(function: FunctionRelease, version: str, versions: Versions) -> FunctionRelease:
    """With what is to go live, and the digest of its code: so it is known again should it go back."""
    if version == function.before.version:
        return function.model_copy(update={"candidate": version})
    build = versions.build(function.function, version)
    return function.model_copy(update={"candidate": version, "code_sha256": build.code_sha256})
