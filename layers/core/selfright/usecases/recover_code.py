"""Send a function's users back to code that was good: an earlier published version, proven by its SHA-256."""

from __future__ import annotations

from collections.abc import Sequence

from selfright.domain.backup.catalogue import PointKind, RecoveryPoint
from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.domain.manifest import LambdaFunction
from selfright.domain.recovery.record import Act, Finding, Recovery, Status
from selfright.domain.recovery.request import Loss
from selfright.domain.recovery.steps import RecoverWord
from selfright.domain.release import CodeArtifact
from selfright.domain.serving import AliasState, Release
from selfright.ports import Functions, Versions
from selfright.restoring_ports import KeptState
from selfright.usecases.recovery_desk import POLL_SECONDS, Desk


def recover_code(
    recovery_id: str, *, desk: Desk, functions: Functions, versions: Versions, kept: KeptState
) -> RecoverWord:
    """Find the good code, put the alias to it, and look whether it is there. Versions are never deleted.

    A published version is taken where one is left; else the newest package that was kept is published again.
    Raises NotFoundError where there is no such recovery, SourceDownError.
    """
    recovery = desk.open(recovery_id)
    step = recovery.step
    if step is None or step.act.room != "code":
        return desk.word(recovery)
    resource = desk.workloads[recovery.asked.workload].resource(recovery.asked.resource or "")
    if not isinstance(resource, LambdaFunction):
        return desk.stop(recovery, (f"{recovery.asked.resource} is no function",))
    try:
        if recovery.looked_at is None:
            return _look(recovery, resource, desk, functions, versions, kept)
        if against := desk.against(recovery):
            return desk.stop(recovery, against, Status.REFUSED)
        if step.act is Act.PUT_BACK_CODE:
            return _put_back(recovery, resource, desk, functions, versions)
        return _check(recovery, resource, desk, functions, versions)
    except BusyError:
        return desk.word(recovery, POLL_SECONDS)
    except (RefusedError, NotFoundError) as refused:
        return desk.stop(recovery, (str(refused),))


def _look(  # noqa: PLR0917 - a function, and three who know of it
    recovery: Recovery,
    resource: LambdaFunction,
    desk: Desk,
    functions: Functions,
    versions: Versions,
    kept: KeptState,
) -> RecoverWord:
    asked, now = recovery.asked, desk.clock.now()
    alias = functions.alias(resource.name, resource.alias)
    version = _good(recovery, functions.releases(resource.name), alias)
    if version:
        # A version that was there at the point is all that was asked for, however long ago it was published.
        sha, state_at = versions.build(resource.name, version).code_sha256, recovery.point
        finding = Finding(
            name=f"version {version}",
            loss=Loss.CHANGED,
            key={"version": version},
            seen=alias.version,
            wanted=sha,
        )
    else:
        point = (
            None
            if asked.version
            else kept.newest(
                asked.workload,
                asked.environment,
                PointKind.FUNCTION_CODE,
                asked.resource or "",
                recovery.point or now,
            )
        )
        if point is None:
            none = f"no version of {resource.name} is published, and no package is kept, from then or before"
            return desk.stop(recovery, (none,), Status.REFUSED)
        state_at = point.taken_at
        finding = Finding(
            name=f"package s3://{point.place.bucket}/{point.place.key}",
            loss=Loss.DELETED,
            key={"package": _artifact(point).model_dump()},
            seen=alias.version,
            wanted=str(point.details["code_sha256"]),
        )
    return desk.save(recovery.but(looked_at=now, findings=(finding,), state_at=state_at))


def _good(recovery: Recovery, published: Sequence[Release], alias: AliasState) -> str | None:
    """The version asked for; the newest at the point; or, without either, the one before the present one."""
    asked = recovery.asked
    for one in published:  # newest first
        if asked.version:
            good = one.version == asked.version
        elif recovery.point:
            good = one.published_at <= recovery.point
        else:
            good = int(one.version) < int(alias.version)
        if good:
            return one.version
    return None


def _put_back(
    recovery: Recovery, resource: LambdaFunction, desk: Desk, functions: Functions, versions: Versions
) -> RecoverWord:
    (finding,) = recovery.findings
    version = finding.key.get("version")
    if version is None:
        package = CodeArtifact.model_validate(finding.key["package"])
        version = versions.publish(resource.name, package, recovery.id)
    if versions.build(resource.name, version).code_sha256 != finding.wanted:
        return desk.stop(recovery, (f"version {version} of {resource.name} is not the code that was wanted",))
    alias = functions.alias(resource.name, resource.alias)
    if alias.version != version or alias.weights:
        if alias.version != finding.seen:
            return desk.stop(recovery, (f"{resource.name} was sent to version {alias.version} meanwhile",))
        versions.route(resource.name, resource.alias, version, {}, alias.revision)
    return desk.done(recovery, Act.PUT_BACK_CODE, f"{resource.alias} points to version {version}")


def _check(
    recovery: Recovery, resource: LambdaFunction, desk: Desk, functions: Functions, versions: Versions
) -> RecoverWord:
    (finding,) = recovery.findings
    alias = functions.alias(resource.name, resource.alias)
    live = versions.build(resource.name, resource.alias)
    if alias.weights or live.code_sha256 != finding.wanted:
        wrong = f"{resource.name}:{resource.alias} runs {live.code_sha256}, {finding.wanted} was wanted"
        return desk.stop(recovery, (wrong,))
    return desk.done(recovery, Act.CHECK_CODE, f"version {live.version} runs, sha256 {live.code_sha256}")


def _artifact(point: RecoveryPoint) -> CodeArtifact:
    """What Lambda publishes again. Raises RefusedError where the catalogue does not say where it lies."""
    place = point.place
    if not (place.bucket and place.key and point.sha256):
        raise RefusedError(f"the recovery point of {point.source} says neither where it lies nor its sha256")
    return CodeArtifact(bucket=place.bucket, key=place.key, object_version=place.version, sha256=point.sha256)
