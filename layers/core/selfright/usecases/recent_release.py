"""The release that may answer for an alarm: the newest one that began, and whether what it made live is live still."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from selfright.domain.judgement import METRIC_LAG
from selfright.domain.manifest import Workload
from selfright.ports import Functions, ReleaseLedger

if TYPE_CHECKING:  # built only where there is one
    from selfright.domain.release import Release

LOOKED_AT = 20  # newest releases of the workload, refused ones among them


def newest_begun(workload: Workload, releases: ReleaseLedger) -> Release | None:
    """None where the workload takes no releases, or none of the newest was let in."""
    if not workload.deployment.functions:
        return None
    newest = releases.releases(workload.workload, workload.environment, LOOKED_AT)
    return next((release for release in newest if release.begun), None)


def is_live(release: Release, functions: Functions) -> bool:
    """Whether every alias that this completed release changed is as it left it.

    Raises NotFoundError where a function or its alias is gone.
    """
    aliases = ((f, functions.alias(f.function, f.alias)) for f in release.changing)
    return all((alias.version, dict(alias.weights)) == (f.left_live, {}) for f, alias in aliases)


def answers_for(
    workload: Workload, releases: ReleaseLedger, functions: Functions, now: datetime
) -> str | None:
    """Why a release answers for the alarms of its set, in words; None where none does."""
    release = newest_begun(workload, releases)
    if release is None:
        return None
    regret = timedelta(seconds=workload.deployment.regret_seconds)
    settle = timedelta(seconds=workload.verification.settle_seconds) + METRIC_LAG
    words = release.answers_for_alarms(now, regret, settle)
    # Somebody may have put another version live since: then nothing takes this release back.
    return None if words and release.completed and not is_live(release, functions) else words
