"""Publish the versions that are to go live; nobody is sent to them yet."""

from __future__ import annotations

from collections.abc import Mapping

from selfright.domain.errors import BusyError
from selfright.domain.manifest import When, Workload
from selfright.domain.release import FunctionRelease, LogLine, Milestone, Release, ReleaseStatus, StopReason
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.domain.release.workflow import LARGEST_DEFINITION
from selfright.ports import Clock, Leases, ReleaseLedger, Versions
from selfright.release_ports import Artifacts, StateMachines
from selfright.usecases.release_lock import take_lock


def publish_release(
    release_id: str,
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    leases: Leases,
    artifacts: Artifacts,
    versions: Versions,
    state_machines: StateMachines,
    clock: Clock,
) -> ReleaseWord:
    """`configure`, `test` or `shift` where there is something new, or the stack was changed; else `close`.

    Raises BusyError while Lambda takes code up (all functions have been asked to by then), RefusedError where an
    artifact is not what was asked for, ConflictError where another release holds the workload.
    """
    release = releases.release(release_id)
    if release.status is not ReleaseStatus.RUNNING:
        return ReleaseWord(next=Then.LEAVE)
    now = clock.now()
    take_lock(release, leases, now)
    candidates = _functions(release, versions)
    for workflow in release.workflows:
        definition = artifacts.read(release.request.workflows[workflow.key], LARGEST_DEFINITION)
        candidates[workflow.key] = state_machines.publish(workflow.machine, definition.decode(), release_id)
    published = release.but(
        functions=tuple(
            _published(function, candidates[function.key], versions) for function in release.functions
        ),
        workflows=tuple(w.model_copy(update={"candidate": candidates[w.key]}) for w in release.workflows),
    )
    changes = ", ".join(f"{f.key} {f.before.version} → {f.candidate}" for f in published.shifting)
    line = LogLine(
        key="published",
        at=now,
        milestone=Milestone.PUBLISHED,
        text=f"published: {changes or 'nothing new'}",
        detail={"versions": candidates},
    )
    again = [f"{f.key} {f.candidate}" for f in published.changing if f.candidate in f.went_back]
    if again and not release.request.artifacts:
        why = f"{', '.join(again)} went back with an earlier release; name the artifact that is meant"
        # Nobody was sent to it: without candidates there is no alias to put back.
        releases.save(release.but(stop=StopReason.WENT_BACK, why=why), line)
        return ReleaseWord(next=Then.ROLL_BACK if release.touched else Then.CLOSE)
    changed = published.stack is not None and published.stack.done_at is not None
    if not (published.shifting or published.configuration or changed):
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
    if workloads[release.request.workload].deployment.tested(When.BEFORE):
        return ReleaseWord(next=Then.TEST)
    return ReleaseWord(next=Then.SHIFT, step=1)


def _functions(release: Release, versions: Versions) -> dict[str, str]:
    """The version of each function that is to go live. Raises BusyError once all were asked."""
    artifacts, found, busy = release.request.artifacts, dict[str, str](), list[str]()
    for function in release.functions:
        key = function.key
        if not release.request.has(key):
            found[key] = function.before.version
            continue
        try:
            found[key] = versions.publish(function.function, artifacts.get(key), release.id)
        except BusyError as error:
            busy.append(str(error))
    if busy:
        raise BusyError("; ".join(busy))
    return found


def _published(function: FunctionRelease, version: str, versions: Versions) -> FunctionRelease:
    """With what is to go live, and the digest of its code: so it is known again should it go back."""
    if version == function.before.version:
        return function.model_copy(update={"candidate": version})
    build = versions.build(function.function, version)
    return function.model_copy(update={"candidate": version, "code_sha256": build.code_sha256})
