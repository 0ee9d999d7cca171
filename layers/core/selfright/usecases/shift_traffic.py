"""Take the whole release set one step further: every alias, or the release goes back.

The aliases are read before the release is looked at for a last time, and changed only at the revisions that were
read. Whoever rolls back marks the release first and then rewrites every alias: so a step that comes late changes
nothing, because either the mark or the revision is in its way.
"""

from __future__ import annotations

from collections.abc import Mapping

from selfright.domain.errors import ConflictError, DriftedError
from selfright.domain.manifest import When, Workload
from selfright.domain.release import Aliased, LogLine, Milestone, Release, ReleaseStatus, Rung
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.domain.serving import AliasState
from selfright.ports import Clock, Functions, Leases, ReleaseLedger, Versions
from selfright.release_ports import StateMachines
from selfright.usecases.release_lock import take_lock
from selfright.usecases.released_aliases import read_alias, route_alias


def shift_traffic(
    release_id: str,
    step: int,
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    leases: Leases,
    functions: Functions,
    versions: Versions,
    state_machines: StateMachines,
    clock: Clock,
) -> ReleaseWord:
    """`wait`, also where the step is in force already, with the seconds until the first look at it.

    `test` instead where all requests go to the new versions, and there are tests of what users get then.

    `leave` where somebody rolls the release back.

    Raises DriftedError where an alias is neither as the last step left it nor as this one wants it, BusyError where
    one was changed this very moment, ConflictError where another release holds the workload or `step` is not next.
    """
    aliases = _aliases(releases.release(release_id), functions, state_machines)
    release = releases.release(release_id)
    if release.status is not ReleaseStatus.RUNNING:
        return ReleaseWord(next=Then.LEAVE)
    take_lock(release, leases, clock.now())
    deployment = workloads[release.request.workload].deployment
    tested = step == len(release.rungs) and deployment.tested(When.AFTER)
    look = ReleaseWord(next=Then.TEST if tested else Then.WAIT, wait=deployment.look_seconds)
    if release.position == step:
        return look  # before this room was repeated
    rung = release.next_rung
    if rung is None or step != release.position + 1:
        raise ConflictError(
            f"{release_id} is at step {release.position} of {len(release.rungs)}, not before {step}"
        )
    for one in release.shifting:
        _shift(one, aliases[one.key], rung, release, versions=versions, machines=state_machines)

    now = clock.now()
    shifted = release.but(shifts=(*release.shifts, now), extensions=0)
    line = LogLine(
        key=f"shifted-{step:02d}",
        at=now,
        milestone=Milestone.SHIFTED,
        text=f"step {step} of {len(release.rungs)}: "
        + (
            f"{rung.percent:g} % of the requests go to the new versions"
            if release.shifting
            else "no requests are shifted, what is changed is watched"
        ),
        detail={"percent": rung.percent, "functions": [one.key for one in release.shifting]},
    )
    releases.save(shifted, line)
    return look


def _aliases(
    release: Release, functions: Functions, state_machines: StateMachines
) -> Mapping[str, AliasState]:
    return {one.key: read_alias(one, functions, state_machines) for one in release.shifting}


def _shift(
    one: Aliased,
    alias: AliasState,
    rung: Rung,
    release: Release,
    *,
    versions: Versions,
    machines: StateMachines,
) -> None:
    wanted, here = one.at(rung), (alias.version, dict(alias.weights))
    if here == wanted:
        return  # before this room was repeated
    if here != one.at(release.rung):
        raise DriftedError(f"{one.key}: its alias {one.alias} was moved by somebody else, to {_told(here)}")
    route_alias(one, wanted, alias, versions=versions, machines=machines)


def _told(place: tuple[str, dict[str, float]]) -> str:
    version, weights = place
    shares = ", ".join(f"{share:.1%} to {other}" for other, share in weights.items())
    return f"version {version}" + (f", {shares}" if shares else "")
