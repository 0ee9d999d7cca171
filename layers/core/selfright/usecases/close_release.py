"""End a release: see that it stands as it should, write the outcome, and let the next one in."""

from __future__ import annotations

from selfright.domain.errors import ConflictError, DriftedError
from selfright.domain.release import LogLine, Milestone, Release, ReleaseStatus, StopReason
from selfright.domain.release.steps import ReleaseClosed, in_words
from selfright.ports import Clock, Functions, Leases, ReleaseLedger
from selfright.release_ports import Configurations, StateMachines
from selfright.usecases.configured import moved_configuration
from selfright.usecases.released_aliases import read_alias


def close_release(
    release_id: str,
    failure: str = "none",
    *,
    releases: ReleaseLedger,
    leases: Leases,
    functions: Functions,
    configurations: Configurations,
    state_machines: StateMachines,
    clock: Clock,
) -> ReleaseClosed:
    """How it ended; a release that is over stays as it is. `failure`: why it could not be put back.

    Raises DriftedError where a release that is to be completed is not live as it was left, ConflictError where it is
    on its way still.
    """
    release, failure = releases.release(release_id), in_words(failure)
    if not release.over:
        now = clock.now()
        status = _outcome(release, failure)
        if status is ReleaseStatus.COMPLETED:
            _see_all_live(release, functions, configurations, state_machines)
        why = failure[:1000] if failure != "none" and not release.why else release.why
        stop = release.stop or (StopReason.STEP_FAILED if status is not ReleaseStatus.COMPLETED else None)
        closed = release.but(status=status, closed_at=now, why=why, stop=stop)
        line = LogLine(
            key=f"closed-{status}",
            at=now,
            milestone=Milestone.CLOSED,
            text=f"{status}: {_words(closed)}" + (f" ({failure[:300]})" if failure != "none" else ""),
            detail={"status": status, "stop": stop, "failure": failure},
        )
        release = releases.save(closed, line)
    leases.release(release.place, release.id)
    return ReleaseClosed(status=release.status)


def _outcome(release: Release, failure: str) -> ReleaseStatus:
    restored = release.restored_at is not None and not release.to_put_back
    if release.status is ReleaseStatus.ROLLING_BACK and restored and failure == "none":
        return ReleaseStatus.ROLLED_BACK if release.touched else ReleaseStatus.REFUSED
    if not release.touched and (release.stop or failure != "none"):
        return ReleaseStatus.REFUSED
    if failure != "none":
        return ReleaseStatus.ROLLBACK_FAILED
    if release.status is ReleaseStatus.RUNNING and release.position and release.next_rung is None:
        return ReleaseStatus.COMPLETED
    raise ConflictError(
        f"{release.id} is {release.status}, at step {release.position} of {len(release.rungs)}"
    )


def _see_all_live(
    release: Release, functions: Functions, configurations: Configurations, machines: StateMachines
) -> None:
    for one in release.shifting:
        alias = read_alias(one, functions, machines)
        if (alias.version, dict(alias.weights)) != one.at(release.rung):
            raise DriftedError(f"{one.key} is at version {alias.version}, not at {one.candidate}")
    if moved := moved_configuration(release, configurations):
        raise DriftedError(f"somebody else moved {moved}")


def _words(release: Release) -> str:
    match release.status:
        case ReleaseStatus.COMPLETED:
            live = {part.key: part.candidate for part in release.shifting}
            live |= {part.key: part.candidate for part in release.configuration}
            return ", ".join(f"{key} is at version {version}" for key, version in live.items())
        case ReleaseStatus.ROLLED_BACK:
            return f"{release.stop}: {release.why}; all is as it was before"
        case ReleaseStatus.REFUSED:
            return f"{release.stop}: {release.why}; nothing was changed"
        case _:
            return f"{release.stop}: {release.why}; people are needed"
