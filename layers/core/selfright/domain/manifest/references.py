"""Rules that span sections: every name used in one place must be declared in another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from selfright.domain.manifest.breach import Breach, suggestion
from selfright.domain.manifest.escalation import TOPIC, ChannelType
from selfright.domain.manifest.layering import Path
from selfright.domain.manifest.probes import ASKED_WITHIN, Http, Invoke, SmokeWorkflow, When
from selfright.domain.manifest.resources import LambdaFunction, ResourceType, StateMachine
from selfright.domain.manifest.workload import Workload


def breaches(workload: Workload) -> Iterator[Breach]:
    """Every broken rule between sections, in the order of the manifest."""
    yield from _duplicate_names(workload)
    yield from _unknown_resources(workload)
    yield from _unknown_guards(workload)
    yield from _lease_too_short(workload)
    yield from _backed_up(workload)
    yield from _topics(workload)
    yield from _escalation(workload)
    yield from _deployment(workload)
    yield from _probes(workload)


def first_shared_alarm(workloads: Iterable[Workload]) -> tuple[Workload, Breach] | None:
    """A workload that claims an alarm of an earlier one, so that nobody could say whose signal it is."""
    owners: dict[str, Workload] = {}
    for workload in workloads:
        for key, alarm in workload.alarms.items():
            owner = owners.setdefault(alarm.name, workload)
            if owner is not workload:
                rule = f"must be unique, but {alarm.name} belongs to {owner.workload} too"
                return workload, Breach(("alarms", key, "name"), rule)
    return None


def _duplicate_names(workload: Workload) -> Iterator[Breach]:
    seen: dict[tuple[str, str], str] = {}
    for key, resource in workload.resources.items():
        first = seen.setdefault((resource.type, resource.name), key)
        if first != key:
            rule = f"must be unique, but resources.{first} is {resource.name} too"
            yield Breach(("resources", key, "name"), rule)
    names: dict[str, str] = {}
    for key, alarm in workload.alarms.items():
        first = names.setdefault(alarm.name, key)
        if first != key:
            yield Breach(("alarms", key, "name"), f"must be unique, but alarms.{first} is {alarm.name} too")


def _unknown_resources(workload: Workload) -> Iterator[Breach]:
    for key, alarm in workload.alarms.items():
        if alarm.resource not in workload.resources:
            rule = f"must name one of resources{suggestion(alarm.resource, workload.resources)}"
            yield Breach(("alarms", key, "resource"), rule)


def _unknown_guards(workload: Workload) -> Iterator[Breach]:
    for position, key in enumerate(workload.guards):
        if key not in workload.alarms:
            yield Breach(("guards", position), f"must name one of alarms{suggestion(key, workload.alarms)}")


def _lease_too_short(workload: Workload) -> Iterator[Breach]:
    # A lease that ended before the verdict would let a second incident change the same resource meanwhile.
    lease, needed = workload.limits.lease_seconds, workload.verification.verify_within_seconds
    if lease < needed:
        yield Breach(
            ("limits", "lease_seconds"),
            f"must be at least verification.verify_within_seconds ({needed})",
            Breach(
                ("verification", "verify_within_seconds"), f"must be at most limits.lease_seconds ({lease})"
            ),
        )


def _backed_up(workload: Workload) -> Iterator[Breach]:
    tables = {key for key, found in workload.resources.items() if found.type is ResourceType.DYNAMODB_TABLE}
    for key, backup in workload.backup.tables.items():
        if key not in tables:
            rule = f"must name a dynamodb-table of resources{suggestion(key, tables)}"
            yield Breach(("backup", "tables", key), rule)
        names = [rule.name for rule in backup.invariants]
        for position, name in enumerate(names):
            if name in names[:position]:
                where = ("backup", "tables", key, "invariants", position, "name")
                yield Breach(where, "must be unique within its table")
    buckets = {key for key, found in workload.resources.items() if found.type is ResourceType.S3_BUCKET}
    for position, key in enumerate(workload.backup.buckets):
        if key not in buckets:
            rule = f"must name an s3-bucket of resources{suggestion(key, buckets)}"
            yield Breach(("backup", "buckets", position), rule)


def _topics(workload: Workload) -> Iterator[Breach]:
    channels = workload.notifications.channels
    if TOPIC in channels and channels[TOPIC].type is not ChannelType.SNS:
        yield Breach(
            ("notifications", "channels", TOPIC, "type"), "must be sns: so the topic itself is called"
        )
    # There is one topic: a second channel would send every notice to its subscribers once more.
    of_topic = [key for key, channel in channels.items() if channel.type is ChannelType.SNS]
    for key in of_topic[1:]:
        rule = f"must not be sns, because channels.{of_topic[0]} is the topic already"
        yield Breach(("notifications", "channels", key, "type"), rule)


def _escalation(workload: Workload) -> Iterator[Breach]:
    waited = 0
    for position, level in enumerate(workload.escalation.levels):
        path: Path = ("escalation", "levels", position)
        if level.level != position + 1:
            rule = f"must be {position + 1}: levels are listed in order, without a gap"
            yield Breach((*path, "level"), rule)
        if level.answer_within_minutes < waited:
            rule = f"must be at least that of the level before ({waited})"
            yield Breach((*path, "answer_within_minutes"), rule)
        waited = level.answer_within_minutes
        for number, channel in enumerate(level.channels):
            if channel not in workload.notifications.channels:
                hint = suggestion(channel, workload.notifications.channels)
                yield Breach((*path, "channels", number), f"must name one of notifications.channels{hint}")


def _deployment(workload: Workload) -> Iterator[Breach]:
    deployment = workload.deployment
    functions = {key: r for key, r in workload.resources.items() if isinstance(r, LambdaFunction)}
    for position, key in enumerate(deployment.functions):
        path: Path = ("deployment", "functions", position)
        if key not in functions:
            yield Breach(path, f"must name a lambda-function of resources{suggestion(key, functions)}")
        elif functions[key].protected:
            yield Breach(path, f"must not be protected, as resources.{key} is")
        elif key in deployment.functions[:position]:
            yield Breach(path, "must be named once")
    yield from _workflows(workload)
    yield from _judged(workload)


def _workflows(workload: Workload) -> Iterator[Breach]:
    machines = {key: r for key, r in workload.resources.items() if isinstance(r, StateMachine)}
    for position, key in enumerate(workload.deployment.workflows):
        path: Path = ("deployment", "workflows", position)
        if key not in machines:
            yield Breach(path, f"must name a state-machine of resources{suggestion(key, machines)}")
        elif machines[key].protected:
            yield Breach(path, f"must not be protected, as resources.{key} is")


def _judged(workload: Workload) -> Iterator[Breach]:
    deployment = workload.deployment
    for position, key in enumerate(deployment.judged_on):
        if key not in deployment.functions:
            hint = suggestion(key, deployment.functions)
            yield Breach(
                ("deployment", "judged_on", position), f"must name one of deployment.functions{hint}"
            )
    for key, stage in deployment.target_of.items():
        where: Path = ("deployment", "target_of", key)
        if key not in deployment.functions:
            yield Breach(
                where, f"must name one of deployment.functions{suggestion(key, deployment.functions)}"
            )
        elif stage not in workload.targets.p95_seconds:
            stages = workload.targets.p95_seconds
            yield Breach(where, f"must be one of targets.p95_seconds{suggestion(stage, stages)}")


def _probes(workload: Workload) -> Iterator[Breach]:
    machines = {key for key, r in workload.resources.items() if r.type is ResourceType.STATE_MACHINE}
    functions = {key for key, r in workload.resources.items() if isinstance(r, LambdaFunction)}
    deployment = workload.deployment
    for key, test in deployment.smoke_tests.items():
        path: Path = ("deployment", "smoke_tests", key)
        if isinstance(test, SmokeWorkflow):
            if test.state_machine not in machines:
                rule = f"must name a state-machine of resources{suggestion(test.state_machine, machines)}"
                yield Breach((*path, "state_machine"), rule)
        elif test.when is When.BEFORE and isinstance(test, Invoke):
            if test.function not in deployment.functions:
                hint = suggestion(test.function, deployment.functions)
                rule = f"must name one of deployment.functions: no other gets a new version{hint}"
                yield Breach((*path, "function"), rule)
        else:
            yield from _asked(path, test, functions)
    for name, probe in workload.health.probes.items():
        yield from _asked(("health", *name.split(".")), probe, functions)
    asked: dict[Path, Iterable[object]] = {
        ("deployment", "smoke_tests"): deployment.smoke_tests.values(),
        ("health",): workload.health.probes.values(),
    }
    for path, probes in asked.items():
        longest = sum(probe.within_seconds for probe in probes if isinstance(probe, Invoke | Http))
        if longest > ASKED_WITHIN:
            rule = f"must be answered within {ASKED_WITHIN} s together: one is asked after the other"
            yield Breach(path, f"{rule} (the within_seconds make {longest:g})")


def _asked(path: Path, probe: Invoke | Http, functions: set[str]) -> Iterator[Breach]:
    if isinstance(probe, Invoke) and probe.function not in functions:
        hint = suggestion(probe.function, functions)
        yield Breach((*path, "function"), f"must name a lambda-function of resources{hint}")
