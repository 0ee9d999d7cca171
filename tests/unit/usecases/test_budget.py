"""The budget of a workload holds where its incidents act at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from selfright.domain.alarms import State
from selfright.domain.gates import AlarmNow, Gate
from selfright.domain.incident import AttemptStatus
from selfright.domain.manifest import Workload, load
from selfright.ports import TableState
from tests.unit.usecases.respond import handler
from tests.unit.usecases.world import MANIFEST, RUNBOOK, TABLE, WENT_OFF, World, alarm_definition, signal

TABLES = 8
PER_HOUR = 2


def shop() -> Workload:
    """Eight starved tables, and two changes an hour for all of them; never a storm, for the functions are well."""
    tables = {f"orders-{n}": {"type": "dynamodb-table", "name": f"table-{n}"} for n in range(TABLES)}
    functions = {f"f-{n}": {"type": "lambda-function", "name": f"f-{n}"} for n in range(TABLES)}
    alarms = {
        name: {"name": f"alarm-{name}", "resource": name, "symptom": "throttling", "severity": "high"}
        for name in tables
    }
    manifest = {
        **{key: MANIFEST[key] for key in ("workload", "description", "owner")},
        "resources": {**tables, **functions},
        "alarms": alarms,
        "autonomy": {"runbooks": {RUNBOOK: "auto"}},
        "limits": {"actions_per_hour": PER_HOUR, "unhealthy_share": 0.9},
    }
    return load(manifest, {}, "development")


def starved(world: World) -> None:
    for n in range(TABLES):
        name = f"alarm-orders-{n}"
        world.cloudwatch.add(alarm_definition(name), AlarmNow(state=State.ALARM, since=WENT_OFF))
        world.dynamodb.states[f"table-{n}"] = TableState(
            name=f"table-{n}", status="ACTIVE", on_demand=False, read_units=10, write_units=10
        )
        world.dynamodb.used[f"table-{n}"] = world.dynamodb.used[TABLE]


def step(world: World, room: str, incident: str) -> dict[str, Any]:
    answer: dict[str, Any] = handler(room, world)(
        {"incident_id": incident, "attempt": 1}, SimpleNamespace(aws_request_id="request-1")
    )
    return answer


def test_of_eight_incidents_that_act_at_once_two_are_let_through():
    # Given eight incidents, each with its remedy chosen and every gate at go
    world = World(shop())
    starved(world)
    incidents = [world.receive(signal(alarm=f"alarm-orders-{n}")) for n in range(TABLES)]
    for incident in incidents:
        for room in ("choose_runbook", "run_checks"):
            assert step(world, room, incident)["next"] == "check"
        assert step(world, "choose_remedy", incident)["next"] == "act"

    # When they act at the same time
    with ThreadPoolExecutor(max_workers=TABLES) as pool:
        answers = list(pool.map(lambda one: step(world, "apply_action", one), incidents))

    # Then as many as the budget has are let through, and the others changed nothing
    attempts = [world.case(incident).attempts[0] for incident in incidents]
    applied = [a for a in attempts if a.status is AttemptStatus.APPLIED]
    assert sorted(a["next"] for a in answers) == ["close"] * (TABLES - PER_HOUR) + ["settle"] * PER_HOUR
    assert len(applied) == len(world.dynamodb.changes) == PER_HOUR
    assert {a.status for a in attempts} == {AttemptStatus.APPLIED, AttemptStatus.REFUSED}
    for answer in answers:
        if answer["next"] == "close":
            # Seen by the gate, or lost to another between gate and record: which of the two is chance.
            assert f"gate {Gate.BUDGET}: hour-spent" in answer["reason"] or "faster" in answer["reason"]
