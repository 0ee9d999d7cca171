"""What stops a recovery, before it begins and half-way, and input that makes no sense."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from selfright.domain.recovery.record import Status
from selfright.domain.recovery.steps import Go
from tests.unit.recovery.world import APPROVED, NOW, TABLE, World, asked

RUN: dict[str, Any] = {"workload": "shop", "environment": "production", "run": "bk-0", "run_began_at": NOW}
IN_PLACE = {"mode": "in-place", "approval": APPROVED}


def named(world: World) -> list[str]:
    return sorted(world.tables.tables)


# -- the gates


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"environment": "staging"}, "environment: must be production"),
        ({"resource": "papers"}, "resource: must name a DynamoDBTable"),
        ({"point": NOW + timedelta(days=1)}, "point: must not lie in the future"),
        ({"point": NOW - timedelta(days=40)}, "point: must not lie before"),
        ({"mode": "in-place"}, "approval: must be given"),
    ],
)
def test_what_may_not_be_done_is_refused_before_anything_is(given: dict[str, Any], why: str):
    world = World()
    found = world.play(asked(**given))
    assert (found.status, world.end) == (Status.REFUSED, Go.BADLY)
    assert any(why in each for each in found.why), found.why
    assert named(world) == [TABLE]


def test_the_kill_switch_stops_a_recovery_also_half_way():
    world = World()
    world.lose_orders()
    room = world.rooms[Go.ITEMS]

    def thrown(recovery: str) -> Any:
        world.switches.switches = world.switches.switches.model_copy(update={"kill_switch": True})
        return room(recovery)

    world.rooms[Go.ITEMS] = thrown
    found = world.play(asked(**IN_PLACE))
    assert (found.status, found.why) == (Status.FAILED, ("the kill switch is on",))
    assert world.tables.writes == []


def test_nobody_recovers_what_an_incident_is_changing():
    world = World()
    world.leases.acquire(TABLE, "inc-1", NOW + timedelta(hours=1), NOW)
    found = world.play(asked(**IN_PLACE))
    assert (found.status, found.why) == (Status.REFUSED, (f"inc-1 is changing {TABLE}",))
    assert world.leases.holder(TABLE, NOW) == "inc-1"


def test_gates_that_cannot_be_asked_stop_it():
    world = World()
    world.switches.read = lambda: (_ for _ in ()).throw(RuntimeError("down"))  # type: ignore[method-assign]
    with pytest.raises(AssertionError):
        world.play(asked())  # not even written down: the machine fails openly
    assert named(world) == [TABLE]


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"scenario": "configuration"}, "resource: must not be given for configuration"),
        ({"scenario": "object", "resource": "papers"}, "prefix: must be given for object"),
        ({"approval": {"approver": "ada", "at_most": 1}}, "must be another person"),
        ({"repoint": True, "mode": "in-place"}, "repoint: must only be set"),
        ({"target": {"account": "111122223333", "region": "eu-west-1"}}, "target: must be given for whole"),
        ({"version": "3"}, "version: must stand for function-code"),
        (
            {"drill": True, "mode": "in-place", "approval": APPROVED},
            "drill: must be a table under a new name",
        ),
        ({"drill": True, "repoint": True}, "drill: must be a table under a new name"),
        ({"undo": []}, "undo: must name at least one"),
    ],
)
def test_input_that_makes_no_sense_is_refused_by_its_field(given: dict[str, Any], rule: str):
    with pytest.raises(ValidationError, match=rule):
        asked(**given)
