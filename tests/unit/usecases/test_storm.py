"""A storm: so much goes off at once that one remedy at a time is the wrong answer, and one message is enough."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.delivery import deliveries
from selfright.domain.gates import AlarmNow
from selfright.domain.incident import Attempt, AttemptStatus, IncidentStatus
from selfright.domain.manifest import Workload, load
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord, Signal, SignalKind
from selfright.usecases.receive_signal import receive_signal
from tests.unit.usecases.respond import Respond
from tests.unit.usecases.world import MANIFEST, RUNBOOK, WENT_OFF, World, alarm_definition, signal

RESOURCES = 10
NAMES = [f"orders-{n}" for n in range(RESOURCES)]


def shop() -> Workload:
    """Ten tables, an alarm each; four in trouble are a storm."""
    resources = {
        name: {"type": "dynamodb-table", "name": f"{{workload}}-{{environment}}-{name}"} for name in NAMES
    }
    alarms = {
        name: {"name": f"alarm-{name}", "resource": name, "symptom": "throttling", "severity": "high"}
        for name in NAMES
    }
    manifest = {
        "workload": "shop",
        "description": MANIFEST["description"],
        "owner": "shop-team",
        "resources": resources,
        "alarms": alarms,
        "autonomy": {"runbooks": {RUNBOOK: "auto"}},
    }
    return load(manifest, {}, "development")


@pytest.fixture
def world() -> World:
    home = World(shop())
    for name in NAMES:
        home.cloudwatch.add(
            alarm_definition(f"alarm-{name}"),
            AlarmNow(state=State.ALARM, since=WENT_OFF + timedelta(hours=1)),
        )
    return home


def received(world: World, one: Signal) -> DecisionRecord:
    return receive_signal(
        one,
        workloads=tuple(world.workloads.values()),
        store=world.memory,
        history=world.memory,
        workflows=world.workflows,
        clock=world.clock,
    )


def off(n: int, minutes: float = 0.0, state: State = State.ALARM) -> Signal:
    return signal(WENT_OFF + timedelta(minutes=minutes), state, alarm=f"alarm-orders-{n}")


def declared_by(world: World) -> str | None:
    return world.memory.troubles("shop", "development").declared_by


def test_the_signal_that_makes_it_a_storm_declares_it(world: World):
    records = [received(world, off(n)) for n in range(4)]

    assert {r.decision for r in records} == {Decision.OPENED}
    assert declared_by(world) == records[3].incident_id
    assert world.workflows.started == [r.incident_id for r in records]


def test_in_a_storm_new_incidents_are_held_and_nothing_is_started(world: World):
    for n in range(4):
        received(world, off(n))
    held = received(world, off(4))

    assert (held.decision, held.reason) == (Decision.HELD, DecisionReason.STORM)
    incident = world.case(str(held.incident_id)).incident
    assert (incident.status, incident.outcome) == (IncidentStatus.HELD, "held by the storm")
    assert len(world.workflows.started) == 4


def test_a_held_problem_that_goes_off_again_gets_no_second_incident(world: World):
    for n in range(5):
        received(world, off(n))
    first, again = received(world, off(4)), received(world, off(4, minutes=1))

    assert again.decision is Decision.HELD
    assert again.incident_id == first.incident_id


def test_the_declaring_signal_delivered_again_starts_its_incident(world: World):
    """A crash may have come between declaring the storm and starting the one who tells of it."""
    records = [received(world, off(n)) for n in range(4)]
    world.workflows.started.clear()

    again = received(world, off(3))

    assert again == records[3]
    assert world.workflows.started == [records[3].incident_id]


def test_people_are_told_once_and_nothing_is_changed(world: World):
    for n in range(RESOURCES):
        world.cloudwatch.change(f"alarm-orders-{n}", since=WENT_OFF)
        received(world, off(n))
    published: list[dict[str, Any]] = []
    for incident in world.workflows.started:
        respond = Respond(world)
        respond.run(incident)
        published += respond.published
        assert not respond.failed

    assert len(world.workflows.started) == 4
    assert len(published) == 1
    assert "10 of 10 resources in trouble" in published[0]["Message"]
    assert "every incident of the workload is held" in published[0]["Message"]
    assert world.dynamodb.changes == []


def test_without_a_declaration_at_intake_the_first_that_is_stopped_tells(world: World):
    """Four signals at the same time: none of them saw the others."""
    for n in range(4):
        world.cloudwatch.change(f"alarm-orders-{n}", since=WENT_OFF)
        received(world, off(n))
    world.memory.end_storm("shop", "development")

    told = []
    for incident in world.workflows.started:
        respond = Respond(world)
        respond.run(incident)
        told.append(len(respond.published))

    assert told == [1, 0, 0, 0]


def test_the_storm_ends_when_less_than_half_of_the_limit_is_left(world: World):
    for n in range(6):
        received(world, off(n))
    held = [4, 5]
    for n in held:  # their alarms are back: 4 of 10 are left, in the hands of respond
        received(world, off(n, minutes=1, state=State.OK))
    assert declared_by(world) is not None

    for n in range(4):
        received(world, off(n, minutes=2, state=State.OK))
        world.memory.close(str(world.workflows.started[n]), IncidentStatus.ESCALATED, "storm", entry(), NOW)
    received(world, off(4, minutes=3, state=State.OK))
    assert declared_by(world) is None

    fresh = received(world, off(4, minutes=4))
    assert fresh.decision is Decision.OPENED


def test_a_burst_of_thousands_is_a_handful_of_executions(world: World):
    signals = [off(n % RESOURCES, minutes=(n // RESOURCES) / 60) for n in range(1000)]

    with ThreadPoolExecutor(max_workers=8) as pool:
        records = list(pool.map(lambda one: received(world, one), signals))

    decisions = Counter(r.decision for r in records)
    assert sum(decisions.values()) == 1000  # one decision each, none lost
    assert decisions[Decision.OPENED] == len(world.workflows.started) <= RESOURCES
    assert len(world.memory.incidents("shop", "development", 1000)) <= RESOURCES
    assert declared_by(world) in world.workflows.started


NOW = WENT_OFF + timedelta(minutes=5)


def entry() -> Any:
    from selfright.domain.incident import Entry, EntryKind

    return Entry(key="closed", at=NOW, kind=EntryKind.INCIDENT_CLOSED, text="closed")


@pytest.mark.parametrize("touched", [False, True])
def test_of_a_change_of_ours_people_always_hear(world: World, touched: bool):
    """It was undone when the storm broke out; another incident tells of the storm, but not of that."""
    for n in range(4):
        world.cloudwatch.change(f"alarm-orders-{n}", since=WENT_OFF)
        received(world, off(n))
    quiet = world.workflows.started[0]
    if touched:
        attempt = Attempt(number=1, status=AttemptStatus.UNDONE, intended_at=WENT_OFF)
        world.memory.save_attempt(quiet, attempt)

    respond = Respond(world)
    respond.run(quiet)

    assert len(respond.published) == touched


def test_a_storm_holds_no_signal_without_an_alarm(world: World):
    """Nothing will be changed for it, and what it says is news to people."""
    for n in range(4):
        received(world, off(n))
    ours = world.workload.resources["orders-9"].name
    told = {"kind": SignalKind.HEALTH, "name": "AWS_DYNAMODB_ISSUE", "fact": "1", "resources": (ours,)}

    record = received(world, off(9).model_copy(update=told))

    assert record.decision is Decision.OPENED
    assert world.workflows.started[-1] == record.incident_id
    respond = Respond(world)
    respond.run(str(record.incident_id))
    assert len(respond.published) == 1


def test_an_incident_that_another_one_tells_has_no_deliveries(world: World):
    for n in range(4):
        world.cloudwatch.change(f"alarm-orders-{n}", since=WENT_OFF)
        received(world, off(n))

    respond = Respond(world)
    respond.run(world.workflows.started[0])

    assert respond.visited[-1] == "Tell people"
    assert not respond.failed
    assert respond.published == []
    assert list(deliveries(world.case(world.workflows.started[0]))) == []


def test_whose_own_alarm_is_over_still_tells_of_the_storm_that_it_declared(world: World):
    """Every other incident is held without a word, so that nobody else would."""
    for n in range(5):
        world.cloudwatch.change(f"alarm-orders-{n}", since=WENT_OFF)
        received(world, off(n))
    declarer = world.workflows.started[3]
    assert declared_by(world) == declarer
    world.cloudwatch.change("alarm-orders-3", state=State.OK, since=WENT_OFF + timedelta(minutes=1))
    received(world, off(3, minutes=1, state=State.OK))

    respond = Respond(world)
    respond.run(declarer)

    incident = world.case(declarer).incident
    assert incident.status is IncidentStatus.ESCALATED
    assert str(incident.outcome).startswith("gate stale-episode: alarm-over")
    assert "storm: 5 resources in trouble; until that is over" in str(incident.outcome)
    (message,) = respond.published
    assert "every incident of the workload is held" in message["Message"]
    assert "orders-3" not in world.memory.troubles("shop", "development").problems.values()


def test_once_the_storm_is_over_who_declared_it_has_nothing_to_tell_of_it(world: World):
    for n in range(4):
        world.cloudwatch.change(f"alarm-orders-{n}", since=WENT_OFF)
        received(world, off(n))
    declarer = world.workflows.started[3]
    world.memory.end_storm("shop", "development")
    world.cloudwatch.change("alarm-orders-3", state=State.OK, since=WENT_OFF + timedelta(minutes=1))
    received(world, off(3, minutes=1, state=State.OK))

    Respond(world).run(declarer)

    assert world.case(declarer).incident.status is IncidentStatus.RECOVERED
