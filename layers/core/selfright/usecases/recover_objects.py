"""Bring objects of a versioned bucket back to what they were at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from selfright.domain.errors import RefusedError
from selfright.domain.recovery.objects import ObjectVersion, by_key, lost_since
from selfright.domain.recovery.record import Act, Finding, Recovery, Status
from selfright.domain.recovery.request import MOST_OBJECTS
from selfright.domain.recovery.steps import RecoverWord
from selfright.restoring_ports import ObjectVersions
from selfright.usecases.recovery_desk import Desk


def recover_objects(recovery_id: str, *, desk: Desk, objects: ObjectVersions) -> RecoverWord:
    """Find out what was lost; then, unless it is a dry run, copy earlier versions back.

    No version and no delete marker is ever removed: the permission for the one would be that for the other.
    Raises NotFoundError where there is no such recovery, SourceDownError.
    """
    recovery = desk.open(recovery_id)
    step, bucket, prefix, point = recovery.step, recovery.source, recovery.asked.prefix, recovery.point
    if step is None or step.act.room != "objects" or bucket is None or prefix is None or point is None:
        return desk.word(recovery)
    try:
        versions = objects.versions(bucket, prefix)
        if recovery.looked_at is None:
            return _look(recovery, versions, desk, point)
        if against := desk.against(recovery):
            return desk.stop(recovery, against, Status.REFUSED)
        if step.act is Act.CHECK_OBJECTS:
            return _check(recovery, versions, desk)
        return _put_back(recovery, bucket, versions, desk, objects)
    except RefusedError as refused:
        return desk.stop(recovery, (str(refused),))


def _look(recovery: Recovery, versions: Sequence[ObjectVersion], desk: Desk, point: datetime) -> RecoverWord:
    if not any(version.at <= point for version in versions):
        none = f"nothing that begins with {recovery.asked.prefix} is kept from {point} or before"
        return desk.stop(recovery, (none,), Status.REFUSED)
    findings = tuple(lost_since(versions, point))
    if len(findings) > MOST_OBJECTS:
        many = f"{len(findings)} objects differ, {MOST_OBJECTS} at once are copied back: name a longer prefix"
        return desk.stop(recovery, (many,), Status.REFUSED)
    # Deleted since, and no version is left: from after the point, or expired. Nobody can tell.
    gone = tuple(key for key, past in by_key(versions).items() if past[0].marker and past[-1].at > point)
    return desk.save(
        recovery.but(looked_at=desk.clock.now(), findings=findings, left_to_people=gone, state_at=point)
    )


def _put_back(
    recovery: Recovery, bucket: str, versions: Sequence[ObjectVersion], desk: Desk, objects: ObjectVersions
) -> RecoverWord:
    history = by_key(versions)
    left = []
    for finding in recovery.findings:
        past = history.get(finding.name, [])
        if _is_back(finding, past):
            continue  # by this room, before it was repeated
        if not past or past[0].version != finding.seen:
            left.append(f"{finding.name} was written to meanwhile")
        else:
            objects.copy_back(bucket, finding.name, finding.wanted)
    if left:
        return desk.stop(
            recovery, (f"{len(left)} of {len(recovery.findings)} not put back: {', '.join(left[:8])}",)
        )
    return desk.done(recovery, Act.PUT_BACK_OBJECTS, f"{len(recovery.findings)} objects put back")


def _check(recovery: Recovery, versions: Sequence[ObjectVersion], desk: Desk) -> RecoverWord:
    history = by_key(versions)
    wrong = [one.name for one in recovery.findings if not _is_back(one, history.get(one.name, []))]
    if wrong:
        return desk.stop(recovery, (f"not as they were: {', '.join(wrong[:8])}",))
    return desk.done(recovery, Act.CHECK_OBJECTS, f"all {len(recovery.findings)} are as they were")


def _is_back(finding: Finding, past: Sequence[ObjectVersion]) -> bool:
    then = next((version for version in past if version.version == finding.wanted), None)
    return then is not None and past[0].same_content(then)
