"""Least privilege: without any one of its permissions, a role would have been denied what a journey did with it.

permissions.yaml says which journey that is. Run after the others: it looks at the calls that IAM granted to them.
"""

from __future__ import annotations

import pytest

from cli.template import Permission, granted, resources
from tests.sandbox.journeys.permissions import (
    allowed,
    deprived,
    inline_policies,
    managed_policies,
    role_name,
    witnesses,
)
from tests.sandbox.journeys.world import World

SHOWN = [permission for permission in granted() if isinstance(witnesses().get(permission), str)]
NOT_SHOWN = [permission for permission in granted() if isinstance(witnesses().get(permission), dict)]

JOURNEYS = {(permission.owner, witnesses()[permission]) for permission in SHOWN}
ROOMS = [
    (machine, room.removesuffix("Arn"))
    for machine, properties in resources("AWS::Serverless::StateMachine").items()
    for room in properties["DefinitionSubstitutions"]
]


@pytest.mark.parametrize("permission", SHOWN, ids=str)
def test_a_journey_needs_it(sandbox_world: World, permission: Permission):
    world, journey = sandbox_world, witnesses()[permission]
    if journey not in world.granted:
        pytest.skip(f"its journey did not run: {journey}")
    role = role_name(world, permission.owner)
    calls = [c for c in world.granted[str(journey)] if (c.role, c.action) == (role, permission.action)]
    policies, managed = inline_policies(world, permission.owner), managed_policies(world, permission.owner)

    whole = [*policies.values(), *managed]
    without = [*deprived(policies, permission).values(), *managed]

    assert [c for c in calls if allowed(world, whole, c) and not allowed(world, without, c)]


@pytest.mark.parametrize(("machine", "room"), ROOMS)
def test_a_state_machine_calls_every_room_that_it_may_call(sandbox_world: World, machine: str, room: str):
    """Its permission names them one by one."""
    world = sandbox_world
    if not {witness for owner, witness in JOURNEYS if owner == machine} <= set(world.granted):
        pytest.skip("its journeys did not run")
    function = world.physical_name(room)
    calls = [c for made in world.granted.values() for c in made if c.role == role_name(world, machine)]

    assert [c for c in calls if c.resource.endswith(f":function:{function}")]


@pytest.mark.parametrize("permission", NOT_SHOWN, ids=str)
def test_what_is_said_not_to_show_does_not_show(sandbox_world: World, permission: Permission):
    """Else the reason in permissions.yaml is out of date."""
    world = sandbox_world
    role, policies = role_name(world, permission.owner), inline_policies(world, permission.owner)
    without = [*deprived(policies, permission).values(), *managed_policies(world, permission.owner)]
    calls = [
        c for made in world.granted.values() for c in made if (c.role, c.action) == (role, permission.action)
    ]

    assert [c for c in calls if not allowed(world, without, c)] == []
