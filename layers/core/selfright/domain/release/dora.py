"""DORA's five metrics of software delivery, from the ledger of releases alone; docs/dora.md has every definition.

https://dora.dev/guides/dora-metrics/ says what they are; what counts as a deployment, as failed and as rework here is
said by the three questions below.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from pydantic import BaseModel, ConfigDict

from selfright.domain.release.record import TAKEN_BACK, Release, ReleaseStatus

DAY = timedelta(days=1)


def deployed(release: Release) -> bool:
    """Whether it is a deployment: it is over, and requests of users went to it, be it a share of them."""
    return release.over and release.position > 0


def failed(release: Release) -> bool:
    """Whether it had to be taken back, by whomever and for whatever reason: not proven good is not good."""
    return deployed(release) and release.status in TAKEN_BACK


def reworked(release: Release, before: Release | None) -> bool:
    """Whether it was unplanned, to mend production: the deployment `before` it had failed, or an alarm was on."""
    return bool(release.red_before) or (before is not None and failed(before))


def lead_time(release: Release) -> timedelta | None:
    """From the commit until all requests went to it; None where it did not stay."""
    if release.status is not ReleaseStatus.COMPLETED or release.shifted_at is None:
        return None
    return release.shifted_at - release.request.committed_at


def recovery_time(release: Release) -> timedelta | None:
    """From the first sign of its failure until the versions before were live again; None where they are not."""
    if not failed(release) or release.restored_at is None or release.evidence_at is None:
        return None
    return release.restored_at - release.evidence_at


class Dora(BaseModel):
    """The five metrics of one workload in [start, end), with what they are made of. None: nothing to tell it from.

    In JSON its times are seconds.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", ser_json_timedelta="float")

    start: datetime
    end: datetime
    deployments: int
    completed: int
    failed: int
    reworked: int
    not_recovered: int  # failed, and what was before is not live again as far as is known
    deployment_frequency: float  # a day
    change_lead_time: timedelta | None  # median
    change_fail_rate: float | None  # 0 to 1
    failed_deployment_recovery_time: timedelta | None  # median
    deployment_rework_rate: float | None  # 0 to 1


def dora(releases: Sequence[Release], start: datetime, end: datetime) -> Dora:
    """Of the deployments whose first requests came in [start, end); earlier ones tell what was rework.

    `releases` in any order. Raises ValueError where the span is empty.
    """
    if end <= start:
        raise ValueError(f"{start} to {end} is no span of time")
    all_of_them = sorted(filter(deployed, releases), key=lambda release: release.shifts[0])
    befores = [None, *all_of_them]
    mended = {
        release.id for before, release in zip(befores, all_of_them, strict=False) if reworked(release, before)
    }
    ours = [release for release in all_of_them if start <= release.shifts[0] < end]
    leads = [lead for release in ours if (lead := lead_time(release)) is not None]
    recoveries = [taken for release in ours if (taken := recovery_time(release)) is not None]
    bad = sum(map(failed, ours))
    again = sum(release.id in mended for release in ours)
    return Dora(
        start=start,
        end=end,
        deployments=len(ours),
        completed=sum(release.completed for release in ours),
        failed=bad,
        reworked=again,
        not_recovered=bad - len(recoveries),
        deployment_frequency=len(ours) / ((end - start) / DAY),
        change_lead_time=_median(leads),
        change_fail_rate=bad / len(ours) if ours else None,
        failed_deployment_recovery_time=_median(recoveries),
        deployment_rework_rate=again / len(ours) if ours else None,
    )


def _median(spans: Sequence[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(span.total_seconds() for span in spans)) if spans else None


def figures(release: Release, before: Release | None, *, again: bool) -> dict[str, float]:
    """What the end of a release adds to the metrics: counts, and times in seconds.

    `again`: it had ended as completed before, and was counted then. `before`: the deployment before it.
    """
    if not deployed(release):
        return {}
    found: dict[str, float] = {}
    if not again:
        found |= {"Deployments": 1, "DeploymentsReworked": float(reworked(release, before))}
    if failed(release):
        found["DeploymentsFailed"] = 1
    for name, span in (("LeadTime", lead_time(release)), ("RecoveryTime", recovery_time(release))):
        if span is not None:
            found[name] = span.total_seconds()
    return found
