"""One release at a time: the lease that every step of a release takes again before it does anything."""

from __future__ import annotations

from datetime import datetime, timedelta

from selfright.domain.release import Release
from selfright.ports import Leases

# Longer than any wait between two steps (ten minutes) with all of the second one's retries.
HELD_FOR = timedelta(hours=1)


def take_lock(release: Release, leases: Leases, now: datetime) -> None:
    """Hold the workload for this release, or hold it on.

    Raises ConflictError where another release holds it.
    """
    leases.acquire(release.place, release.id, now + HELD_FOR, now)
