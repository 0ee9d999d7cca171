"""Publish the versions that are to go live; nobody is sent to them yet."""

from __future__ import annotations

from selfright.domain.errors import BusyError
from selfright.domain.release import LogLine, Milestone, ReleaseStatus, StopReason
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.domain.release.workflow import LARGEST_DEFINITION
from selfright.ports import Clock, Leases, ReleaseLedger, Versions
from selfright.release_ports import Artifacts, StateMachines
from selfright.usecases.release_lock import take_lock


def publish_release(
    release_id: str,
    *,
    releases: ReleaseLedger,
    leases: Leases,
    artifacts: Artifacts,
    versions: Versions,
    state_machines: StateMachines,
    clock: Clock,
) -> ReleaseWord:
    """`shift` or `configure` where there is something new, `close` where there is not.

    Raises BusyError while Lambda takes code up (all functions have been asked to by then), RefusedError where an
    artifact is not what was asked for, ConflictError where another release holds the workload.
    """
    release = releases.release(release_id)
    if release.status is not ReleaseStatus.RUNNING:
        return ReleaseWord(next=Then.LEAVE)
    now = clock.now()
    take_lock(release, leases, now)
    packages = release.request.artifacts
    candidates: dict[str, str] = {}
    busy: list[str] = []
    for function in release.functions:
        if not release.request.has(function.key):
            candidates[function.key] = function.before.version
            continue
        try:
            candidates[function.key] = versions.publish(
                function.function, packages.get(function.key), release_id
            )
        except BusyError as error:
            busy.append(str(error))
    if busy:
        raise BusyError("; ".join(busy))

    for workflow in release.workflows:
        definition = artifacts.read(release.request.workflows[workflow.key], LARGEST_DEFINITION)
        candidates[workflow.key] = state_machines.publish(workflow.machine, definition.decode(), release_id)
    published = release.but(
        workflows=tuple(w.model_copy(update={"candidate": candidates[w.key]}) for w in release.workflows),
        functions=tuple(f.model_copy(update={"candidate": candidates[f.key]}) for f in release.functions),
    )
    changes = ", ".join(f"{f.key} {f.before.version} → {f.candidate}" for f in published.shifting)
    line = LogLine(
        key="published",
        at=now,
        milestone=Milestone.PUBLISHED,
        text=f"published: {changes or 'nothing new'}",
        detail={"versions": candidates},
    )
    if not published.shifting and not published.configuration:
        nothing = published.but(
            stop=StopReason.NOTHING_NEW, why="everything of the set is live like this already"
        )
        releases.save(nothing, line)
        return ReleaseWord(next=Then.CLOSE)
    if not published.shifting:
        published = published.but(rungs=published.rungs[-1:])  # there are no requests to shift, only to judge
    releases.save(published, line)
    if published.configuration:
        return ReleaseWord(next=Then.CONFIGURE)
    return ReleaseWord(next=Then.SHIFT, step=1)
