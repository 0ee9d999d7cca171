"""End a release: see that it stands as it should, write the outcome, and let the next one in."""

from __future__ import annotations

from datetime import datetime

from selfright.domain.errors import BusyError, ConflictError, DriftedError
from selfright.domain.release import LogLine, Milestone, Release, ReleaseStatus, StopReason
from selfright.domain.release.dora import deployed, figures
from selfright.domain.release.steps import ReleaseClosed, in_words
from selfright.ports import Clock, Functions, Leases, Measure, ReleaseLedger
from selfright.release_ports import Configurations, StateMachines
from selfright.usecases.configured import moved_configuration
from selfright.usecases.released_aliases import read_alias

LOOKED_AT = 20  # newest releases of the workload, refused ones among them


def close_release(
    release_id: str,
    failure: str = "none",
    *,
    releases: ReleaseLedger,
    leases: Leases,
    functions: Functions,
    measure: Measure,
    configurations: Configurations,
    state_machines: StateMachines,
    clock: Clock,
) -> ReleaseClosed:
    """How it ended; a release that is over stays as it is. `failure`: why it could not be put back.

    What it adds to DORA's metrics is measured once: not again where this room is repeated after the outcome is written.

    Raises DriftedError where a release that is to be completed is not live as it was left, ConflictError where it is
    on its way still, BusyError where another execution is putting it back.
    """
    release, failure = releases.release(release_id), in_words(failure)
    if not release.over:
        closed, line = closing(release, failure, clock.now())
        if closed.status is ReleaseStatus.COMPLETED:
            _see_all_live(release, functions, configurations, state_machines)
        again, before = release.closed_at is not None, _before(release, releases)
        release = releases.save(closed, line)
        request = release.request
        measure(figures(release, before, again=again), request.workload, request.environment)
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
    back = release.restored_at is not None and not release.to_put_back and release.stack_is_back
    if release.status is ReleaseStatus.ROLLING_BACK and back and failure == "none":
        if not release.touched:
            return ReleaseStatus.REFUSED
        # Unknown health is no health.
        healthy = release.health.after is not None and not release.health.worse
        return ReleaseStatus.ROLLED_BACK if healthy else ReleaseStatus.ROLLBACK_FAILED
    if not release.touched and (release.stop or failure != "none"):
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


def _before(release: Release, releases: ReleaseLedger) -> Release | None:
    """The deployment before this one."""
    newest = releases.releases(release.request.workload, release.request.environment, LOOKED_AT)
    earlier = (other for other in newest if other.requested_at < release.requested_at)
    return next(filter(deployed, earlier), None)


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
            live = [f"{part.key} is at version {part.candidate}" for part in release.shifting]
            live += [f"{part.key} is at version {part.candidate}" for part in release.configuration]
            if release.stack and release.stack.done_at:
                live.append(f"stack {release.stack.name} is changed")
            return ", ".join(live)
        case ReleaseStatus.ROLLED_BACK:
            return f"{release.stop}: {release.why}; all is as it was before"
        case ReleaseStatus.REFUSED:
            return f"{release.stop}: {release.why}; nothing was changed"
        case _ if release.restored_at:
            sick = ", ".join(release.health.worse) or "nobody could ask"
            return f"{release.stop}: {release.why}; put back, but not healthy: {sick}; people are needed"
        case _:
            return f"{release.stop}: {release.why}; people are needed"
