"""The whole loop: the state machine as it stands in statemachines/, played with the real handlers in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfright.domain.alarms import State
from selfright.domain.gates import Gate
from selfright.domain.incident import AttemptStatus, EntryKind, IncidentStatus
from selfright.ports import ScalingTarget, Throttles
from tests.fakes import Down
from tests.unit.usecases.respond import Respond
from tests.unit.usecases.world import (
    ALARM,
    GUARD,
    TABLE,
    WENT_OFF,
    World,
    alarm_definition,
    signal,
    workload,
)

RAISED = (TABLE, "PROVISIONED", 10, 20)  # 14 units of demand at 70 % of the new capacity
RESTORED = (TABLE, "PROVISIONED", 10, 10)
ON_DEMAND = (TABLE, "PAY_PER_REQUEST", 0, 0)


@pytest.fixture
def world() -> World:
    return World()


def played(world: World) -> tuple[Respond, str]:
    incident_id = world.receive()
    respond = Respond(world)
    respond.run(incident_id)
    return respond, incident_id


def outcome(world: World, incident_id: str) -> tuple[IncidentStatus, str]:
    incident = world.case(incident_id).incident
    return incident.status, str(incident.outcome)


# -- it helps


def test_the_starved_table_gets_what_it_needs_and_the_metric_proves_it(world: World):
    respond, incident = played(world)

    case = world.case(incident)
    assert outcome(world, incident) == (IncidentStatus.RESOLVED, f"{TABLE}: write units 10 → 20")
    assert world.dynamodb.changes == [RAISED]
    (attempt,) = case.attempts
    assert attempt.status is AttemptStatus.VERIFIED
    assert attempt.plan
    assert attempt.plan.before == {"mode": "PROVISIONED", "read_units": 10, "write_units": 10}
    assert attempt.plan.after == {"mode": "PROVISIONED", "read_units": 10, "write_units": 20}
    assert attempt.judgement
    assert attempt.judgement.before[-3:] == (20.0, 20.0, 20.0)
    assert set(attempt.judgement.after) == {0.0}
    assert [e.kind for e in case.timeline] == [
        EntryKind.SIGNAL_RECEIVED,
        EntryKind.RUNBOOK_CHOSEN,
        EntryKind.GATES_ASKED,
        EntryKind.CHECKS_RUN,
        EntryKind.REMEDY_CHOSEN,
        EntryKind.GATES_ASKED,
        EntryKind.ACTION_APPLIED,
        EntryKind.OUTCOME_JUDGED,
        EntryKind.INCIDENT_CLOSED,
        EntryKind.PEOPLE_TOLD,
    ]
    assert [g.gate for g in attempt.gates] == list(Gate)
    assert [m["Subject"] for m in respond.published] == [
        "[critical] resolved: throttling of orders, shop development"
    ]
    assert world.memory_leases.holder(TABLE, world.clock.now()) is None


def test_before_values_and_intent_are_on_record_before_the_change(world: World):
    played(world)

    calls = world.fuse.calls
    assert calls.index("store.intend") < calls.index("tables.set_provisioned")
    assert calls.index("leases.acquire") < calls.index("store.intend")


# -- it does not help


def test_a_remedy_that_did_not_help_is_undone_before_the_next_one(world: World):
    # Given that more units do not help, on-demand does
    world.throttled = lambda: 0.0 if world.table().on_demand else 20.0

    _, incident = played(world)

    first, second = world.case(incident).attempts
    assert outcome(world, incident)[0] is IncidentStatus.RESOLVED
    assert world.dynamodb.changes == [RAISED, RESTORED, ON_DEMAND]
    assert (first.remedy, first.status) == ("raise-capacity", AttemptStatus.UNDONE)
    assert (second.remedy, second.status) == ("switch-to-on-demand", AttemptStatus.VERIFIED)
    assert first.judgement
    assert first.judgement.outcome == "sick"


def test_when_nothing_helps_everything_is_as_before_and_people_are_called(world: World):
    world.throttled = lambda: 20.0

    respond, incident = played(world)

    status, why = outcome(world, incident)
    assert status is IncidentStatus.ESCALATED
    assert why == "none-left: tried without success: raise-capacity, switch-to-on-demand"
    assert world.table().model_dump() == World().table().model_dump()
    assert world.dynamodb.changes == [RAISED, RESTORED, ON_DEMAND, RESTORED]
    assert "(undone)" in respond.published[0]["Message"]


def test_the_manifest_limits_how_many_are_tried():
    world = World(workload(limits={"attempts": 1}))
    world.throttled = lambda: 20.0

    _, incident = played(world)

    assert outcome(world, incident)[1] == "none-left: 1 attempts are the limit"
    assert world.dynamodb.changes == [RAISED, RESTORED]


def test_a_change_that_breaks_a_guard_is_undone(world: World):
    world.errors = lambda: 50.0 if world.table().write_units == 20 else 0.0

    _, incident = played(world)

    first = world.case(incident).attempts[0]
    assert first.judgement
    assert (first.judgement.outcome, first.judgement.guards[GUARD]) == ("worse", "worse")
    assert first.status is AttemptStatus.UNDONE


def test_where_the_metric_falls_silent_nobody_claims_a_cure(world: World):
    world.throttled = lambda: None

    respond, incident = played(world)

    status, why = outcome(world, incident)
    assert status is IncidentStatus.ESCALATED
    assert why.startswith("cannot tell whether it helped: 0 of 3 whole periods")
    assert world.dynamodb.changes == [RAISED]  # held, not undone: people decide
    assert respond.visited.count("Judge the outcome") > 2  # it waited for data until the deadline
    assert world.clock.now() >= WENT_OFF + timedelta(seconds=900)


def test_waiting_for_a_long_period_ends_at_the_deadline(world: World):
    hourly = alarm_definition(Period=3600, EvaluationPeriods=1)
    world.cloudwatch.definitions[ALARM] = hourly
    world.cloudwatch.points[ALARM] = {}

    _, incident = played(world)

    assert outcome(world, incident)[0] is IncidentStatus.ESCALATED
    assert world.clock.now() == WENT_OFF + timedelta(seconds=5 + 900)


# -- it is not for the machine


def test_a_refused_remedy_leads_to_the_next_one():
    # Given autoscaling that owns the writes' capacity, stands below the demand, but is not registered for reads
    world = World()
    world.autoscaling.targets[TABLE] = {"read": ScalingTarget(minimum=5, maximum=10)}

    _, incident = played(world)

    first, *_ = world.case(incident).attempts
    assert (first.remedy, first.status) == ("raise-autoscaling-maximum", AttemptStatus.REFUSED)
    assert outcome(world, incident)[0] is IncidentStatus.ESCALATED
    assert world.dynamodb.changes == []
    assert world.autoscaling.changes == []


def test_the_next_remedy_is_tried_after_a_refusal(world: World):
    # Given a table that cannot be raised any further, only switched
    world.dynamodb.states[TABLE] = world.table().model_copy(update={"write_units": 20})
    world.throttled = lambda: 0.0 if world.table().on_demand else 20.0

    _, incident = played(world)

    first, second = world.case(incident).attempts
    assert (first.remedy, first.status) == ("raise-capacity", AttemptStatus.REFUSED)
    assert (second.remedy, second.status) == ("switch-to-on-demand", AttemptStatus.VERIFIED)


def test_a_switch_that_could_not_be_undone_is_not_made(world: World):
    """Back to provisioned mode every index needs units of its own, and those are not on record."""
    world.dynamodb.states[TABLE] = world.table().model_copy(update={"indexes": 2, "write_units": 20})

    _, incident = played(world)

    refused = world.case(incident).attempts[-2]
    assert (refused.remedy, refused.status) == ("switch-to-on-demand", AttemptStatus.REFUSED)
    assert world.dynamodb.changes == []
    # ... and people read why, of every remedy
    assert outcome(world, incident)[1] == (
        "none-left: tried without success: raise-capacity, switch-to-on-demand; raise-capacity was refused: "
        "the table already has the units that the demand needs; switch-to-on-demand was refused: "
        "the switch could not be undone: the table has 2 secondary index(es)"
    )


def test_autoscaling_is_raised_only_in_the_starved_direction(world: World):
    both = {d: ScalingTarget(minimum=5, maximum=10) for d in ("read", "write")}
    world.autoscaling.targets[TABLE] = both
    world.throttled = lambda: 0.0

    _, incident = played(world)

    assert outcome(world, incident)[0] is IncidentStatus.RESOLVED
    assert world.autoscaling.changes == [(TABLE, "write", 20)]


def test_a_hot_partition_is_for_people(world: World):
    world.demand(write=14.0, throttles=Throttles(provisioned=100.0, key_range=20.0))

    _, incident = played(world)

    status, why = outcome(world, incident)
    assert status is IncidentStatus.ESCALATED
    assert why.startswith("people-needed: A single partition is at its limit.")
    assert world.dynamodb.changes == []


def test_a_check_that_fails_leaves_its_findings_unknown_and_nothing_is_done(world: World):
    world.scaling = Down()

    _, incident = played(world)

    case = world.case(incident)
    assert case.attempts[0].findings["autoscaled"] is None
    why = outcome(world, incident)[1]
    assert why.startswith("not-known-enough: could not find out: autoscaled")
    assert why.endswith("; dynamodb.autoscaling failed: it is down")
    assert world.dynamodb.changes == []


def test_a_protected_resource_is_never_changed():
    world = World(workload(resources={"orders": {"protected": True}}))

    _, incident = played(world)

    assert {a.status for a in world.case(incident).attempts if a.remedy} == {AttemptStatus.REFUSED}
    assert world.dynamodb.changes == []


def test_a_problem_without_a_runbook_goes_to_people(world: World):
    world.cloudwatch.change(GUARD, state=State.ALARM, since=WENT_OFF)
    incident = world.receive(signal(alarm=GUARD))

    Respond(world).run(incident)

    assert outcome(world, incident) == (IncidentStatus.ESCALATED, "none for errors of a lambda-function")
