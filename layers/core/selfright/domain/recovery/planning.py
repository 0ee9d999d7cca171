"""The steps of each scenario, and what may not be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import BaseModel

from selfright.domain.manifest import DynamoDBTable, LambdaFunction, S3Bucket, Workload
from selfright.domain.recovery.record import Act, PlannedStep, Recovery
from selfright.domain.recovery.request import FROZEN, Mode, RecoverInput, Scenario

TYPES = {Scenario.TABLE: DynamoDBTable, Scenario.OBJECT: S3Bucket, Scenario.CODE: LambdaFunction}
LEASE = timedelta(
    hours=5
)  # longer than the RTO that is promised: nobody else changes what is being recovered


class StepFacts(BaseModel):
    """What is looked at afresh before each step that changes something."""

    model_config = FROZEN

    kill_switch: bool
    lease_holder: str | None = None  # another than this recovery


def steps_of(asked: RecoverInput) -> tuple[PlannedStep, ...]:
    """In the order in which they are taken; a dry run ends before the first that changes something for good."""
    return tuple(PlannedStep(act=act, text=text, destroys=destroys) for act, text, destroys in _of(asked))


def _of(asked: RecoverInput) -> Iterator[tuple[Act, str, str]]:
    name, at = (
        asked.resource,
        f"{asked.point:%Y-%m-%dT%H:%M:%SZ}" if asked.point else asked.version or "before",
    )
    match asked.scenario:
        case Scenario.TABLE:
            in_place = asked.mode is Mode.IN_PLACE
            yield Act.RESTORE, f"restore {name} as of {at} to a table of its own", ""
            yield (
                Act.EXPORT,
                f"export {name} as {'it is now' if in_place else f'of {at}'}, and the restored table",
                "",
            )
            yield Act.COMPARE, "compare the two, item by item", ""
            if in_place:
                those = f"{' or '.join(asked.undo)} since {at}"
                yield Act.PUT_BACK_ITEMS, f"put back what was {those}", f"items of {name} that were {those}"
                yield Act.CHECK_ITEMS, "read each of them again on both sides", ""
                return
            yield Act.SET_UP, "put back on it what a restore drops", ""
            if asked.repoint:
                lost = (
                    f"where the application looks for {name}; what it wrote since {at} stays in the old table"
                )
                yield Act.REPOINT, "send the application to the restored table", lost
        case Scenario.OBJECT:
            yield Act.PUT_BACK_OBJECTS, f"copy back, as new versions, what {asked.prefix} was at {at}", ""
            yield Act.CHECK_OBJECTS, "read each of them again", ""
        case Scenario.CODE:
            yield (
                Act.PUT_BACK_CODE,
                f"send {name}'s alias to the version of {at}",
                f"what {name} runs now stays published, but takes no requests",
            )
            yield Act.CHECK_CODE, "compare the code's SHA-256 and where the alias points", ""
        case Scenario.CONFIGURATION:
            yield (
                Act.PUT_BACK_CONFIGURATION,
                f"put back the newest snapshot at or before {at}",
                "settings that were changed since",
            )
            yield Act.CHECK_CONFIGURATION, "compare each of them with the snapshot", ""
        case Scenario.WORKLOAD:
            there = f"{asked.target.account} {asked.target.region}" if asked.target else ""
            yield (
                Act.BUILD_STACK,
                f"build the stacks in {there} from the newest full backup at or before {at}",
                "",
            )
            yield Act.FILL_TABLES, "fill its tables from their exports", ""
            yield Act.PUT_BACK_SETTINGS, "put its parameters and flags back", ""
            yield Act.CHECK_WORKLOAD, "compare items, code, settings and alarms with the backup", ""


def objections(recovery: Recovery, workload: Workload, facts: StepFacts, now: datetime) -> tuple[str, ...]:
    """Why the next step may not be taken; empty where it may.

    A freeze or a maintenance window is no objection: getting lost data back is repair, people ask for it, and what
    overwrites something live has another person's approval. DESIGN: going back is always allowed in a freeze.
    """
    return tuple(_objections(recovery, workload, facts, now))


def _objections(recovery: Recovery, workload: Workload, facts: StepFacts, now: datetime) -> Iterator[str]:
    asked = recovery.asked
    if asked.environment is not workload.environment:
        yield f"environment: must be {workload.environment}: this deployment looks after no other"
    if facts.kill_switch:
        yield "the kill switch is on"
    if facts.lease_holder:
        yield f"{facts.lease_holder} is changing {recovery.place}"
    if asked.point and asked.point > now:
        yield "point: must not lie in the future"
    if asked.resource:
        yield from _of_the_resource(recovery, asked.resource, workload)
    # Asked for at the start already: nobody waits for a restore to hear that it was for nothing.
    destroyed = next((step.destroys for step in recovery.steps if step.destroys), None)
    if destroyed and not asked.dry_run:
        count = len(recovery.findings)
        if asked.approval is None:
            yield f"approval: must be given, it overwrites {destroyed}"
        elif count > asked.approval.at_most:
            yield f"approval.at_most: {count} would be overwritten, {asked.approval.at_most} are approved"


def _of_the_resource(recovery: Recovery, name: str, workload: Workload) -> Iterator[str]:
    asked, step = recovery.asked, recovery.step
    resource, wanted = workload.resources.get(name), TYPES[asked.scenario]
    if not isinstance(resource, wanted):
        yield f"resource: must name a {wanted.__name__} of the manifest (is {name!r})"
    elif resource.protected and step and (step.destroys or asked.scenario is Scenario.OBJECT):
        yield f"{name} is protected: people recover it by hand"
    table = workload.backup.tables.get(name)
    if asked.repoint and not (table and table.repoint):
        yield f"repoint: backup.tables.{name}.repoint must say where its name stands"
