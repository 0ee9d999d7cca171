"""Releases that nobody works on any more, and their locks; what the sweep does about them.

An execution that is stopped, or times out, or fails before it can close its release, leaves aliases between two
versions for as long as nobody looks. `roll_back` takes such a release back, with the permissions of its rooms: here
no alias is changed. Where that is lost as well, people are told, and the release is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from selfright.domain.errors import NotFoundError
from selfright.domain.manifest import Workload
from selfright.domain.release import Release, lock_of
from selfright.domain.release.steps import SWEEP
from selfright.ports import Clock, Deployments, Leases, Messenger, ReleaseLedger
from selfright.usecases.admit_release import LOOKED_AT
from selfright.usecases.close_release import closing
from selfright.usecases.release_lock import HELD_FOR

# A request that failed half-way is repeated within minutes; then its execution is started after all.
GRACE = timedelta(minutes=10)
UNDER_WAY = {"RUNNING", "PENDING_REDRIVE"}


def unfinished(releases: ReleaseLedger, workload: Workload, now: datetime) -> Sequence[Release]:
    """The releases of a workload that are not over, as far as has got about, and not only just asked for."""
    newest = releases.releases(workload.workload, workload.environment, LOOKED_AT)
    return [release for release in newest if not release.over and now - release.requested_at > GRACE]


def take_back(release: Release, *, releases: ReleaseLedger, deployments: Deployments) -> str | None:
    """Have a release taken back whose execution is over; its id, or None where there is no need to.

    One that a person takes back at this moment may be taken back twice: the second finds it done.
    """
    status = deployments.status(release.id)
    if status in UNDER_WAY or deployments.taking_back(release.id) is not None:
        return None
    if releases.release(release.id).over:  # the list is an index that lags behind
        return None
    lost = f"its execution is {status}" if status else "its execution was never started"
    deployments.take_back(release.id, lost, SWEEP)
    return release.id


def give_up(
    release: Release,
    *,
    releases: ReleaseLedger,
    deployments: Deployments,
    leases: Leases,
    messenger: Messenger,
    clock: Clock,
) -> str | None:
    """Tell people and close a release whose taking back is over without closing it; its id, or None where it is not.

    Also one whose functions are back: whether all of it is, its last rooms could not say.
    """
    status = deployments.taking_back(release.id)
    if status is None or status in UNDER_WAY:
        return None
    release = releases.release(release.id)
    if release.over:
        return None
    back = ", after its functions were put back" if release.restored_at else ""
    failure = f"its roll-back is {status}{back}"
    closed, line = closing(release, failure, clock.now())
    # First tell, then close: a crash in between tells people twice, the other way round it would tell them nothing.
    messenger.tell_of(closed, line)
    releases.save(closed, line)
    leases.release(release.place, release.id)
    return release.id


def free_place(workload: Workload, *, releases: ReleaseLedger, leases: Leases, clock: Clock) -> str | None:
    """Give back a lock whose release is over, and was not only just taken; its name, or None where there is none."""
    place, now = lock_of(workload.workload, workload.environment), clock.now()
    owner = leases.lapsed(place, now + HELD_FOR - GRACE)
    if owner is None:
        return None
    try:
        over = releases.release(owner).over
    except NotFoundError:  # a person who takes weights off: that lapses by itself
        return None
    if not over:
        return None
    leases.release(place, owner)
    return place
