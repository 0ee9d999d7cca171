"""Take a request for a release, once, and start `deploy` for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from selfright.domain.errors import BadInputError
from selfright.domain.manifest import Workload
from selfright.domain.release import LogLine, Milestone, Release, ReleaseRequest, checked
from selfright.domain.release.steps import ReleaseRequested
from selfright.ports import Clock, Deployments, ReleaseLedger


def request_release(
    request: ReleaseRequest,
    sender: Mapping[str, str],
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    deployments: Deployments,
    clock: Clock,
) -> ReleaseRequested:
    """How the release stands now. The same request twice is one release; the first `sender` stays on its log.

    Raises BadInputError where the manifest does not know what is asked for, or another request had this id.
    """
    now = clock.now()
    workload = workloads.get(request.workload)
    if workload is None:
        raise BadInputError("workload", f"must be one of {', '.join(sorted(workloads))}")
    if workload.environment is not request.environment:
        raise BadInputError(
            "environment", f"must be {workload.environment}: this deployment looks after no other"
        )
    checked(request, workload, now)
    release = releases.open(Release(request=request, requested_at=now), _line(request, sender, now))
    if release.request != request:
        raise BadInputError(
            "release_id", f"must be new: {request.release_id} was asked for with other values"
        )
    if not release.over:
        deployments.start(release.id)
    return ReleaseRequested(release_id=release.id, status=release.status)


def _line(request: ReleaseRequest, sender: Mapping[str, str], now: datetime) -> LogLine:
    return LogLine(
        key="requested",
        at=now,
        milestone=Milestone.REQUESTED,
        text=f"{request.requested_by} asks for commit {request.commit[:12]}: {request.reason}{_sent(sender)}",
        detail={**request.model_dump(mode="json"), "sender": dict(sender)},
    )


def _sent(sender: Mapping[str, str]) -> str:
    """Who AWS says it was, where it says so; `requested_by` is the sender's own word."""
    if sender.get("by") == "upload":
        return f" (put by {sender['requester']} as {sender['object']})"
    return f" (sent from account {sender['account']})" if "account" in sender else ""
