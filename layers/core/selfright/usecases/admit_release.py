"""Let a release begin, or refuse it: lock, gates, pre-flight, and what stands now as the way back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from selfright.domain.errors import ConflictError
from selfright.domain.manifest import LambdaFunction, Workload
from selfright.domain.release import (
    AdmissionFacts,
    FunctionFacts,
    FunctionRelease,
    LogLine,
    Milestone,
    Objection,
    Release,
    ReleaseStatus,
    StopReason,
    objections,
    ramp,
)
from selfright.domain.release.probing import HealthRecord
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.ports import Alarms, Clock, Functions, Leases, Probes, ReleaseLedger, SwitchBoard, Versions
from selfright.usecases.asking import ask_health
from selfright.usecases.release_lock import take_lock

LOOKED_AT = 20  # newest releases of the workload among which one may not be over


def admit_release(
    release_id: str,
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    leases: Leases,
    functions: Functions,
    versions: Versions,
    alarms: Alarms,
    switches: SwitchBoard,
    probes: Probes,
    clock: Clock,
) -> ReleaseWord:
    """`publish` where it may begin, `close` where it is refused; what speaks against it is on record.

    Raises NotFoundError where the release, a function or its alias does not exist.
    """
    release = releases.release(release_id)
    if release.status is ReleaseStatus.RUNNING:
        return ReleaseWord(next=Then.PUBLISH)  # admitted before this room was repeated
    if release.status is not ReleaseStatus.REQUESTED:
        return ReleaseWord(next=Then.LEAVE)
    if release.stop:
        return ReleaseWord(next=Then.CLOSE)  # refused before this room was repeated
    workload, now = workloads[release.request.workload], clock.now()
    if not workload.deployment.functions:
        none = Objection(reason=StopReason.NOT_CONFIGURED, text="the manifest names no deployment.functions")
        return _refuse(release, (none,), releases, now)
    try:
        take_lock(release, leases, now)
    except ConflictError:
        other = leases.holder(release.place, now) or "another release"
        taken = Objection(reason=StopReason.ANOTHER_UNDER_WAY, text=f"{other} is under way")
        return _refuse(release, (taken,), releases, now)

    deployment = workload.deployment
    release = release.but(rungs=ramp(release.request.strategy or deployment.strategy, deployment))
    facts = AdmissionFacts(
        now=now,
        kill_switch=switches.read().kill_switch,
        red=tuple(signal.name for signal in alarms.alarming(watched_alarms(workload))),
        unhealthy={one.name: one.why for one in ask_health(workload, probes) if one.why},
        under_way=_under_way(release, releases),
        functions={
            key: _function_facts(resource, functions, versions)
            for key, resource in resources(workload).items()
        },
    )
    against = objections(release, workload, facts)
    if any(not objection.overruled for objection in against):
        return _refuse(release, against, releases, now)
    admitted = release.but(
        status=ReleaseStatus.RUNNING,
        functions=tuple(_function(workload, key, facts.functions[key]) for key in deployment.functions),
        red_before=facts.red,
        health=HealthRecord(before=tuple(facts.unhealthy)),
    )
    steps = ", ".join(f"{rung.percent:g} %" for rung in admitted.rungs)
    line = LogLine(
        key="admitted",
        at=now,
        milestone=Milestone.ADMITTED,
        text=f"may begin: {steps} of the requests{_overruled(admitted, against)}",
        detail={
            "overruled": [objection.model_dump(mode="json") for objection in against],
            "before": {f.key: f.before.version for f in admitted.functions},
        },
    )
    releases.save(admitted, line)
    return ReleaseWord(next=Then.PUBLISH)


def resources(workload: Workload) -> Mapping[str, LambdaFunction]:
    """The functions of the release set by logical name, in the order in which they are shifted."""
    found = {key: workload.resource(key) for key in workload.deployment.functions}
    return {key: resource for key, resource in found.items() if isinstance(resource, LambdaFunction)}


def watched_alarms(workload: Workload) -> tuple[str, ...]:
    """The alarms that speak for the release set: those of its functions, and the guards."""
    ours = set(workload.deployment.functions)
    keys = [key for key, alarm in workload.alarms.items() if alarm.resource in ours or key in workload.guards]
    return tuple(workload.alarms[key].name for key in keys)


def _under_way(release: Release, releases: ReleaseLedger) -> str | None:
    """Another release that began and is not over, whose lock may have lapsed."""
    newest = releases.releases(release.request.workload, release.request.environment, LOOKED_AT)
    begun = {ReleaseStatus.RUNNING, ReleaseStatus.ROLLING_BACK}
    return next((other.id for other in newest if other.id != release.id and other.status in begun), None)


def _function_facts(resource: LambdaFunction, functions: Functions, versions: Versions) -> FunctionFacts:
    return FunctionFacts(
        alias=functions.alias(resource.name, resource.alias),
        live=versions.build(resource.name, resource.alias),
        latest=versions.build(resource.name, "$LATEST"),
        provisioned=versions.provisioned(resource.name, resource.alias),
    )


def _function(workload: Workload, key: str, facts: FunctionFacts) -> FunctionRelease:
    resource = resources(workload)[key]
    return FunctionRelease(key=key, function=resource.name, alias=resource.alias, before=facts.alias)


def _overruled(release: Release, against: tuple[Objection, ...]) -> str:
    glass = release.request.break_glass
    if not against or glass is None:
        return ""
    broken = ", ".join(objection.reason for objection in against)
    return f"; {glass.approver} broke the glass over {broken}: {glass.reason}"


def _refuse(
    release: Release, against: tuple[Objection, ...], releases: ReleaseLedger, now: datetime
) -> ReleaseWord:
    final = [objection for objection in against if not objection.overruled]
    why = "; ".join(f"{objection.reason}: {objection.text}" for objection in final)
    line = LogLine(
        key="refused",
        at=now,
        milestone=Milestone.REFUSED,
        text=f"refused: {why}"[:1000],
        detail={"objections": [objection.model_dump(mode="json") for objection in against]},
    )
    releases.save(release.but(stop=final[0].reason, why=why[:1000]), line)
    return ReleaseWord(next=Then.CLOSE)
