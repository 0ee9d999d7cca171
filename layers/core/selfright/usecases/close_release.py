"""End a release: see that it stands as it should, write the outcome, and let the next one in."""

from __future__ import annotations

from datetime import datetime

from selfright.domain.errors import BusyError, ConflictError, DriftedError
from selfright.domain.release import LogLine, Milestone, Release, ReleaseStatus, StopReason
from selfright.domain.release.steps import ReleaseClosed, in_words
from selfright.ports import Clock, Functions, Leases, ReleaseLedger


def close_release(
    release_id: str,
    failure: str = "none",
    *,
    releases: ReleaseLedger,
    leases: Leases,
    functions: Functions,
    clock: Clock,
) -> ReleaseClosed:
    """How it ended; a release that is over stays as it is. `failure`: why it could not be put back.

    Raises DriftedError where a release that is to be completed is not live as it was left, ConflictError where it is
    on its way still, BusyError where another execution is putting it back.
    """
    release, failure = releases.release(release_id), in_words(failure)
    if not release.over:
        closed, line = closing(release, failure, clock.now())
        if closed.status is ReleaseStatus.COMPLETED:
            _see_all_live(release, functions)
        release = releases.save(closed, line)
    elif failure != "none":
        releases.note(release_id, _stays(release, failure, clock.now()))
    leases.release(release.place, release.id)
    return ReleaseClosed(status=release.status)


def closing(release: Release, failure: str, now: datetime) -> tuple[Release, LogLine]:
    """The release as it ends, and what its log says of that.

    Raises ConflictError where it is on its way still, BusyError where it is on its way back.
    """
    status = _outcome(release, failure)
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
    return closed, line


def _stays(release: Release, failure: str, now: datetime) -> LogLine:
    """Somebody wanted it otherwise, and is told: one that is live could not be taken back."""
    return LogLine(
        key=f"stays-{now:%Y-%m-%dT%H:%M}",
        at=now,
        milestone=Milestone.FAILED,
        text=f"stays {release.status}: {failure[:300]}",
        detail={"failure": failure},
    )


def _outcome(release: Release, failure: str) -> ReleaseStatus:
    if release.status is ReleaseStatus.ROLLING_BACK and release.restored_at and failure == "none":
        return ReleaseStatus.ROLLED_BACK if release.changing else ReleaseStatus.REFUSED
    if not release.changing and (release.stop or failure != "none"):
        return ReleaseStatus.REFUSED
    if failure != "none":
        return ReleaseStatus.ROLLBACK_FAILED
    if release.status is ReleaseStatus.RUNNING and release.position and release.next_rung is None:
        return ReleaseStatus.COMPLETED
    if release.status is ReleaseStatus.ROLLING_BACK:
        raise BusyError(f"{release.id} is being put back by another execution")
    raise ConflictError(
        f"{release.id} is {release.status}, at step {release.position} of {len(release.rungs)}"
    )


def _see_all_live(release: Release, functions: Functions) -> None:
    for function in release.changing:
        alias = functions.alias(function.function, function.alias)
        if (alias.version, dict(alias.weights)) != function.at(release.rung):
            raise DriftedError(f"{function.key} is at version {alias.version}, not at {function.candidate}")


def _words(release: Release) -> str:
    match release.status:
        case ReleaseStatus.COMPLETED:
            return ", ".join(f"{f.key} is at version {f.candidate}" for f in release.changing)
        case ReleaseStatus.ROLLED_BACK:
            return f"{release.stop}: {release.why}; all is as it was before"
        case ReleaseStatus.REFUSED:
            return f"{release.stop}: {release.why}; nothing was changed"
        case _:
            return f"{release.stop}: {release.why}; people are needed"
