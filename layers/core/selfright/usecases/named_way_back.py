"""Find the way back to an earlier release by its name, and see that every version on it exists still."""

from __future__ import annotations

from selfright.domain.errors import NotFoundError, RefusedError
from selfright.domain.release import Release
from selfright.domain.release.way_back import way_back
from selfright.ports import Functions, ReleaseLedger, Versions
from selfright.usecases.recent_release import is_live

LOOKED_AT = 100  # newest releases of the workload; an earlier one is too old to be gone back to by name


def live_now(like: Release, *, releases: ReleaseLedger, functions: Functions) -> Release:
    """The release of the same workload and environment as `like` that is live.

    Raises RefusedError where nothing that is on record is.
    """
    request = like.request
    for release in releases.releases(request.workload, request.environment, LOOKED_AT):
        if release.completed and is_live(release, functions):
            return release
    raise RefusedError(f"what is live of {request.workload} in {request.environment} is no completed release")


def towards(live: Release, to: str, *, releases: ReleaseLedger, versions: Versions) -> Release:
    """`live`, with the version that each function of its set is to go back to.

    Raises RefusedError, in words for people, where there is no such way, NotFoundError where `to` does not exist.
    """
    if any(function.back_to for function in live.functions):
        return live  # found before this step was repeated
    earlier = releases.release(to)
    newest = releases.releases(live.request.workload, live.request.environment, LOOKED_AT)
    if earlier.place == live.place and earlier.id not in {release.id for release in newest}:
        raise RefusedError(
            f"{to} is not among the newest {LOOKED_AT} releases; ask for a release of it instead"
        )
    between = [r for r in newest if earlier.requested_at < r.requested_at < live.requested_at]
    wanted = way_back(live, earlier, between)
    for function in live.functions:
        _see_that_it_exists(function.function, wanted[function.key], to, versions)
    return live.but(functions=tuple(f.model_copy(update={"back_to": wanted[f.key]}) for f in live.functions))


def _see_that_it_exists(function: str, version: str, to: str, versions: Versions) -> None:
    try:
        versions.build(function, version)
    except NotFoundError as gone:
        raise RefusedError(
            f"version {version} of {function}, live with {to}, does not exist any more"
        ) from gone
