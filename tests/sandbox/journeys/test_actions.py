"""Every action of the catalogue, made, found in force and taken back by its rooms, each with nothing but its own role.

Most actions are rare: the other journeys make two of them. Here the incident is written into the ledger and its
steps are asked for one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest

from sandbox import faults
from sandbox import release_rehearsal as rehearsal
from sandbox.server import ACCOUNT, REGION
from selfright.actions import ACTIONS
from selfright.adapters.releases import DynamoDBReleaseLedger
from selfright.domain.alarms import State
from selfright.domain.concern import Concern
from selfright.domain.gates import Gate, Reason
from selfright.domain.incident import Attempt, AttemptStatus, Entry, EntryKind, Incident, IncidentStatus
from selfright.domain.manifest import Severity, Symptom, Workload
from selfright.domain.release import (
    FunctionRelease,
    LogLine,
    Milestone,
    Release,
    ReleaseRequest,
    ReleaseStatus,
    Rung,
    StopReason,
)
from selfright.domain.serving import AliasState
from selfright.domain.signal import Signal
from selfright.domain.steps import Next
from tests.sandbox.journeys.serving import FLAG, FUNCTION, flags, live_version
from tests.sandbox.journeys.world import ENVIRONMENT, PROVISIONED, TABLE, WORKLOAD, World

Facts = dict[str, Any]

STARVED: Facts = {"starved": ["write"], "usage": {"write": {"demand_peak": 7.0}}}


def units(world: World) -> int:
    return int(world.table()["write"])


def most_units(world: World) -> int:
    (target,) = world.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="dynamodb", ResourceIds=[f"table/{TABLE}"]
    )["ScalableTargets"]
    return int(target["MaxCapacity"])


def reserved(world: World) -> int | None:
    found = world.client("lambda").get_function_concurrency(FunctionName=FUNCTION)
    value: int | None = found.get("ReservedConcurrentExecutions")
    return value


def flag(world: World) -> bool:
    return flags(world).read(FLAG)


@contextmanager
def starved(_world: World) -> Iterator[Facts]:
    yield STARVED


@contextmanager
def autoscaled(world: World) -> Iterator[Facts]:
    scaling = world.client("application-autoscaling")
    target = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": f"table/{TABLE}",
        "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
    }
    scaling.register_scalable_target(
        **target, MinCapacity=PROVISIONED["write"], MaxCapacity=PROVISIONED["write"]
    )
    try:
        yield STARVED
    finally:
        scaling.deregister_scalable_target(**target)


@contextmanager
def released(world: World) -> Iterator[Facts]:
    before = live_version(world)
    faults.on("harmless-release", world.server, ENVIRONMENT)
    try:
        yield {"release": {"previous_version": before, "live_version": live_version(world)}}
    finally:
        faults.off("harmless-release", world.server, ENVIRONMENT)


@contextmanager
def known(world: World) -> Iterator[tuple[Release, Facts]]:
    """A version that a release made live, by the ledger; and an earlier release that left the one before live."""
    with released(world) as facts:
        versions = facts["release"]
        now, ledger = world.now(), DynamoDBReleaseLedger(world.aws, world.outputs["LedgerTable"])
        for number, version in enumerate((versions["previous_version"], versions["live_version"])):
            release = completed(
                f"rehearsed-{number}-{now:%H%M%S}", version, versions["previous_version"], now
            )
            asked = LogLine(key="requested", at=now, milestone=Milestone.REQUESTED, text="rehearsed")
            ledger.open(release.but(requested_at=now - timedelta(minutes=50 - number)), asked)
        facts["release"]["release_id"] = release.id
        yield ledger.release(release.id), facts


def completed(release_id: str, version: str, before: str, now: datetime) -> Release:
    """A release of the orchestrator that was completed ten minutes ago."""
    one = FunctionRelease(
        key="orchestrator",
        function=FUNCTION,
        alias="live",
        before=AliasState(version=before, revision="unknown"),
        candidate=version,
    )
    request = {
        "release_id": release_id,
        "workload": WORKLOAD,
        "environment": ENVIRONMENT,
        "commit": "0123456789abcdef",
        "committed_at": now,
        "requested_by": "rehearsal",
        "reason": "rehearsed",
    }
    return Release(
        request=ReleaseRequest.model_validate(request),
        requested_at=now,
        status=ReleaseStatus.COMPLETED,
        rungs=(Rung(percent=100, seconds=300),),
        functions=(one,),
        shifts=(now - timedelta(minutes=20),),
        closed_at=now - timedelta(minutes=10),
    )


@contextmanager
def limited(world: World) -> Iterator[Facts]:
    functions = world.client("lambda")
    functions.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=5)
    try:
        yield {}
    finally:
        functions.delete_function_concurrency(FunctionName=FUNCTION)


@contextmanager
def unlimited(_world: World) -> Iterator[Facts]:
    yield {}  # as it is deployed in development


@contextmanager
def failing(_world: World) -> Iterator[Facts]:
    yield {"failing_dependency": "bedrock"}


class Change(NamedTuple):
    """A remedy of a runbook, where it is needed and what was found there, and what it makes of the value at `look`."""

    remedy: str
    given: Callable[[World], AbstractContextManager[Facts]]
    look: Callable[[World], Any]
    after: Callable[[Facts], Any]

    @property
    def on_table(self) -> bool:
        return self.look in (units, most_units)


CHANGES = {
    "dynamodb.raise_capacity": Change("raise-capacity", starved, units, lambda _: 10),
    "dynamodb.raise_autoscaling_maximum": Change(
        "raise-autoscaling-maximum", autoscaled, most_units, lambda _: 10
    ),
    "lambda.roll_back_alias": Change(
        "roll-back-alias", released, live_version, lambda facts: facts["release"]["previous_version"]
    ),
    "lambda.raise_concurrency": Change("raise-concurrency", limited, reserved, lambda _: 10),
    "lambda.raise_concurrency where none is reserved": Change(
        "raise-concurrency", unlimited, reserved, lambda _: 200
    ),
    "flags.open_circuit": Change("open-circuit", failing, flag, lambda _: True),
}


def test_every_action_that_the_manifest_allows_has_its_journey():
    elsewhere = {"dynamodb.switch_to_on_demand", "lambda.roll_back_release"}
    assert {name.split()[0] for name in CHANGES} == set(ACTIONS) - elsewhere


@pytest.fixture
def on(world: World) -> Iterator[str]:
    """An alarm that is on, and of no workload, so that intake opens nothing for it; without data it stays as it is."""
    name, cloudwatch = "rehearsed", world.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Rehearsal",
        MetricName="Trouble",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="rehearsed")
    yield name
    cloudwatch.delete_alarms(AlarmNames=[name])


def opened(world: World, change: Change, facts: Facts, alarm: str, workload: Workload) -> str:
    """An incident that chose that remedy."""
    resource, symptom, runbook = (
        ("analysis-results", Symptom.THROTTLING, "database-performance")
        if change.on_table
        else ("orchestrator", Symptom.ERRORS, "high-error-rate")
    )
    signal = Signal(
        account=ACCOUNT,
        region=REGION,
        name=alarm,
        # Not the alarm's own ARN: intake has decided on what that one told, perhaps in this very second.
        subject=f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm}-by-hand",
        state=State.ALARM,
        at=world.now(),
        reason="rehearsed",
    )
    about = Concern(resource=resource, symptom=symptom, severity=Severity.HIGH)
    incident = Incident.open(signal, workload, about, world.now())
    world.ledger.open_or_join(incident, signal, world.now())
    world.ledger.take_up(incident.id, runbook, [])
    world.ledger.save_attempt(incident.id, Attempt(number=1, remedy=change.remedy, facts=facts))
    return incident.id


def step(world: World, room: str, incident_id: str) -> dict[str, Any]:
    answer = world.client("lambda").invoke(
        FunctionName=world.physical_name(room),
        Payload=json.dumps({"incident_id": incident_id, "attempt": 1}),
    )
    told: dict[str, Any] = json.load(answer["Payload"])
    assert "FunctionError" not in answer, told
    return told


@pytest.mark.parametrize("name", CHANGES)
def test_an_action_is_made_in_force_and_taken_back(world: World, manifest: Workload, on: str, name: str):
    change = CHANGES[name]
    with change.given(world) as facts:
        before, after = change.look(world), change.after(facts)
        assert before != after

        # When it is applied
        incident_id = opened(world, change, facts, on, manifest)
        applied = step(world, "ApplyAction", incident_id)

        # Then it is made, and the room that judges finds it in force
        (attempt,) = world.ledger.case(incident_id).attempts
        assert (applied["next"], attempt.status) == (Next.SETTLE, AttemptStatus.APPLIED), attempt
        assert change.look(world) == after
        assert step(world, "JudgeOutcome", incident_id)["next"] == Next.SETTLE

        # ... and undoing puts back what was there before
        step(world, "UndoAction", incident_id)
        assert world.ledger.case(incident_id).attempt(1).status is AttemptStatus.UNDONE
        assert change.look(world) == before
        world.forget()  # nobody works on these incidents


def test_a_whole_release_goes_back_and_stays_back(world: World, manifest: Workload, on: str):
    change = Change("roll-back-release", released, live_version, lambda _: None)
    ledger = DynamoDBReleaseLedger(world.aws, world.outputs["LedgerTable"])
    with known(world) as (release, facts):
        before = facts["release"]["previous_version"]

        # Given an alarm of the release set: the runbook holds while the release is fresh
        fresh = opened(world, change, facts, rehearsal.ALARM, manifest)
        step(world, "ChooseRunbook", fresh)
        asked = next(e for e in world.ledger.case(fresh).timeline if e.kind is EntryKind.GATES_ASKED)
        gate = next(g for g in asked.detail["gates"] if g["gate"] == Gate.RELEASE)
        assert gate["reason"] == Reason.RELEASE_ANSWERS
        over = Entry(key="closed", at=world.now(), kind=EntryKind.INCIDENT_CLOSED, text="held")
        world.ledger.close(fresh, IncidentStatus.HELD, "held", over, world.now())

        # When another alarm's runbook takes it back
        incident_id = opened(world, change, facts, on, manifest)
        assert step(world, "ApplyAction", incident_id)["next"] == Next.SETTLE
        world.until("it is back", lambda: ledger.release(release.id).status is ReleaseStatus.ROLLED_BACK)

        # Then the room that judges finds that in force, and it is not undone
        assert live_version(world) == before
        assert ledger.release(release.id).stop is StopReason.INCIDENT
        assert step(world, "JudgeOutcome", incident_id)["next"] == Next.SETTLE
        step(world, "UndoAction", incident_id)
        assert live_version(world) == before
        world.forget()


def test_an_earlier_release_is_gone_back_to_by_its_name(world: World):
    ledger = DynamoDBReleaseLedger(world.aws, world.outputs["LedgerTable"])
    with known(world) as (release, facts):
        earlier = release.id.replace("rehearsed-1", "rehearsed-0")
        given = {
            "release_id": release.id,
            "to": earlier,
            "reason": "slow",
            "actor": "grace",
            "cause": "by-hand",
        }
        world.client("stepfunctions").start_execution(
            stateMachineArn=world.outputs["RollBackArn"], input=json.dumps(given)
        )
        world.until("it is back", lambda: ledger.release(release.id).status is ReleaseStatus.ROLLED_BACK)

        assert live_version(world) == facts["release"]["previous_version"]
        assert ledger.release(release.id).why == f"grace: slow (to {earlier})"
