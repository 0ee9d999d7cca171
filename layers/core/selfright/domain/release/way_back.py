"""The way back to an earlier release: which version each function had when that one went live, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selfright.domain.errors import RefusedError
from selfright.domain.release.record import Release, ReleaseStatus

# Fields of a release that say what it changed besides functions. Versions alone do not take those back.
OTHER_PARTS = ("stack", "configuration", "workflows")


def way_back(live: Release, to: Release, between: Iterable[Release]) -> dict[str, str]:
    """The version of every function of `live`, so that all are as `to` left them.

    `between` are the releases asked for since `to` and before `live`.

    Raises RefusedError, in words for people, where versions alone cannot bring that state back.
    """
    if live.status is not ReleaseStatus.COMPLETED:
        raise RefusedError(
            f"{live.id} is {live.status}: only a completed release makes way for an earlier one"
        )
    if to.place != live.place:
        raise RefusedError(f"{to.id} is of another workload or environment ({to.place})")
    if to.id == live.id:
        raise RefusedError(f"{to.id} is what is live")
    if to.requested_at >= live.requested_at:
        raise RefusedError(f"{to.id} is newer than {live.id}, which is live; ask for a release of it instead")
    if to.status is not ReleaseStatus.COMPLETED:
        raise RefusedError(f"{to.id} is {to.status}: it is not on record as good, so nothing goes back to it")
    for other in between:
        if other.status is ReleaseStatus.COMPLETED and (parts := _other_parts(other)):
            raise RefusedError(
                f"{other.id}, between {to.id} and {live.id}, changed {' and '.join(parts)} as well: the versions of"
                f" {to.id} were never tried with that. Take the releases back one by one"
            )
    then = {f.key: f.left_live for f in to.functions}
    if unknown := [f.key for f in live.functions if f.key not in then]:
        raise RefusedError(
            f"{to.id} did not know {', '.join(unknown)}: which version belongs to it is not on record"
        )
    if all(f.left_live == then[f.key] for f in live.functions):
        raise RefusedError(f"every function is at the version of {to.id} already")
    return {f.key: then[f.key] for f in live.functions}


def live_release(releases: Sequence[Release], key: str, version: str) -> Release | None:
    """The completed release that made this version of the function live; `releases` newest first."""
    return next(
        (
            release
            for release in releases
            if release.status is ReleaseStatus.COMPLETED
            and any(f.key == key and f.candidate == version for f in release.changing)
        ),
        None,
    )


def _other_parts(release: Release) -> list[str]:
    return [part for part in OTHER_PARTS if getattr(release, part, None)]
