"""Let a release begin, or refuse it: lock, gates, pre-flight, and what stands now as the way back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from selfright.backup_ports import TableBackups
from selfright.domain.errors import ConflictError, NotFoundError, RefusedError
from selfright.domain.manifest import LambdaFunction, StateMachine, Workload
from selfright.domain.release import (
    AdmissionFacts,
    CodeArtifact,
    ConfigurationFacts,
    FunctionFacts,
    FunctionRelease,
    LogLine,
    Milestone,
    Objection,
    Release,
    ReleaseStatus,
    StopReason,
    WorkflowFacts,
    WorkflowRelease,
    objections,
    ramp,
)
from selfright.domain.release.admission import went_back
from selfright.domain.release.configuration import LARGEST, ConfigurationRelease, against
from selfright.domain.release.probing import HealthRecord
from selfright.domain.release.record import UNDER_WAY
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.domain.release.workflow import LARGEST_DEFINITION, against_definition
from selfright.ports import Alarms, Clock, Functions, Leases, Probes, ReleaseLedger, SwitchBoard, Versions
from selfright.release_ports import Artifacts, Configurations, StateMachines
from selfright.usecases.asking import ask_health
from selfright.usecases.release_lock import take_lock
from selfright.usecases.watched_alarms import watched_alarms

# Newest releases of the workload: one may not be over although its lock has lapsed, others may have gone back.
LOOKED_AT = 50


def admit_release(
    release_id: str,
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    leases: Leases,
    functions: Functions,
    versions: Versions,
    artifacts: Artifacts,
    configurations: Configurations,
    state_machines: StateMachines,
    backups: TableBackups,
    alarms: Alarms,
    switches: SwitchBoard,
    probes: Probes,
    clock: Clock,
) -> ReleaseWord:
    """`publish` where it may begin, `prepare` where the stack comes first, `close` where it is refused.

    What speaks against it is on record.

    Raises NotFoundError where the release, a function or its alias does not exist.
    """
    release = releases.release(release_id)
    if release.status is ReleaseStatus.RUNNING:
        return ReleaseWord(next=_first(release))  # admitted before this room was repeated
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
    newest = releases.releases(release.request.workload, release.request.environment, LOOKED_AT)
    facts = AdmissionFacts(
        now=now,
        kill_switch=switches.read().kill_switch,
        red=tuple(signal.name for signal in alarms.alarming(watched_alarms(workload))),
        unhealthy={one.name: one.why for one in ask_health(workload, probes) if one.why},
        under_way=next((r.id for r in newest if r.id != release.id and r.status in UNDER_WAY), None),
        functions={
            key: _function_facts(key, resource, newest, functions, versions)
            for key, resource in resources(workload).items()
        },
        restorable=_restorable(workload, backups),
        configurations={
            key: _configuration_facts(key, release, workload, artifacts, configurations)
            for key in release.request.configurations
        },
        workflows={
            key: _workflow_facts(release.request.workflows[key], machine, artifacts, state_machines)
            for key, machine in machines(workload, release.request.workflows).items()
        },
    )
    against = objections(release, workload, facts)
    if any(not objection.overruled for objection in against):
        return _refuse(release, against, releases, now)
    admitted = release.but(
        status=ReleaseStatus.RUNNING,
        functions=tuple(_function(workload, key, facts.functions[key]) for key in deployment.functions),
        workflows=tuple(
            WorkflowRelease(
                key=key, machine=machine.name, alias=machine.alias, before=facts.workflows[key].alias
            )
            for key, machine in machines(workload, release.request.workflows).items()
        ),
        configuration=tuple(
            ConfigurationRelease(key=key, place=one.place, before=str(one.state.live))
            for key, one in facts.configurations.items()
        ),
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
    return ReleaseWord(next=_first(admitted))


def _first(release: Release) -> Then:
    """A release without a template leaves the stack alone."""
    return Then.PREPARE if release.request.template else Then.PUBLISH


def resources(workload: Workload) -> Mapping[str, LambdaFunction]:
    """The functions of the release set by logical name, in the order in which they are shifted."""
    found = {key: workload.resource(key) for key in workload.deployment.functions}
    return {key: resource for key, resource in found.items() if isinstance(resource, LambdaFunction)}


def machines(workload: Workload, keys: Iterable[str]) -> Mapping[str, StateMachine]:
    """The state machines of those logical names."""
    found = {key: workload.resource(key) for key in keys}
    return {key: machine for key, machine in found.items() if isinstance(machine, StateMachine)}


def red_alarms(release: Release, workload: Workload, alarms: Alarms) -> list[str]:
    """Those that speak for the set, are on, and were not when it was let in, by name."""
    found = {signal.name for signal in alarms.alarming(watched_alarms(workload))}
    return sorted(found - set(release.red_before))


def _function_facts(
    key: str,
    resource: LambdaFunction,
    newest: Sequence[Release],
    functions: Functions,
    versions: Versions,
) -> FunctionFacts:
    return FunctionFacts(
        went_back=went_back(newest, key),
        alias=functions.alias(resource.name, resource.alias),
        live=versions.build(resource.name, resource.alias),
        latest=versions.build(resource.name, "$LATEST"),
        provisioned=versions.provisioned(resource.name, resource.alias),
    )


def _configuration_facts(
    key: str, release: Release, workload: Workload, artifacts: Artifacts, configurations: Configurations
) -> ConfigurationFacts:
    place = configurations.place(workload.deployment.configurations[key])
    try:
        problem = against(artifacts.read(release.request.configurations[key], LARGEST), place.kind)
    except (NotFoundError, RefusedError) as error:
        problem = str(error)
    return ConfigurationFacts(place=place, state=configurations.state(place), problem=problem)


def _restorable(workload: Workload, backups: TableBackups) -> Mapping[str, datetime | None]:
    if workload.deployment.backups_within_seconds is None:
        return {}
    windows = {key: backups.window(workload.resource(key).name) for key in workload.backup.tables}
    return {key: window.latest if window else None for key, window in windows.items()}


def _workflow_facts(
    artifact: CodeArtifact, machine: StateMachine, artifacts: Artifacts, state_machines: StateMachines
) -> WorkflowFacts:
    try:
        problem = against_definition(artifacts.read(artifact, LARGEST_DEFINITION))
    except (NotFoundError, RefusedError) as error:
        problem = str(error)
    return WorkflowFacts(alias=state_machines.alias(machine.name, machine.alias), problem=problem)


def _function(workload: Workload, key: str, facts: FunctionFacts) -> FunctionRelease:
    resource = resources(workload)[key]
    return FunctionRelease(
        key=key,
        function=resource.name,
        alias=resource.alias,
        before=facts.alias,
        went_back=tuple(bad.version for bad in facts.went_back),
    )


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
