"""The item that witnesses the RPO."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.backup.sentinel import KEY, sentinel, written_at
from selfright.domain.errors import BadInputError, NotFoundError
from selfright.domain.manifest import load
from selfright.usecases.write_sentinels import write_sentinels
from tests.unit.backup.builders import BEGAN
from tests.unit.backup.world import MANIFEST, TABLE, World
from tests.unit.template import resources


def watched(world: World) -> World:
    """The same shop, whose manifest wants a sentinel."""
    manifest: dict[str, Any] = copy.deepcopy(MANIFEST)
    manifest["backup"]["tables"]["orders"]["sentinel"] = True
    world.workloads = {"shop": load(manifest, {}, "production")}
    return world


def write(world: World) -> tuple[str, ...]:
    return write_sentinels(
        workloads=world.workloads, backups=world.backups, sentinels=world.backups, clock=world.clock
    ).tables


def test_a_sentinel_says_when_it_was_written_and_nothing_else_does():
    item = sentinel(("pk S HASH", "sk S RANGE"), BEGAN)
    assert written_at(item, ("pk", "sk")) == BEGAN
    assert written_at({**item, "sk": {"S": "o-1"}}, ("pk", "sk")) is None
    assert written_at({"pk": {"S": KEY}, "sk": {"S": KEY}}, ("pk", "sk")) is None


def test_a_key_that_is_no_text_has_no_room_for_it():
    with pytest.raises(BadInputError, match="line is of type N"):
        sentinel(("pk S HASH", "line N RANGE"), BEGAN)


def test_the_role_may_write_this_item_and_no_other():
    policies = resources("AWS::Serverless::Function")["WriteSentinels"]["Policies"]
    (statement,) = (s for p in policies for s in p["Statement"] if "dynamodb:PutItem" in s["Action"])
    assert statement["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [KEY]}}


def test_the_rpo_is_the_sentinels_age_in_the_copy():
    world = watched(World())
    assert write(world) == (TABLE,)
    world.clock.advance(600)
    test = world.play()
    assert test.witness == test.began_at - timedelta(minutes=10)
    assert test.rpo_seconds == 600
    assert set(world.verdicts().values()) == {"PASS"}  # nor is it an order without a state


def test_a_sentinel_that_nobody_writes_fails_the_test():
    world = watched(World())
    world.play()
    assert world.verdicts()["rpo-achieved"] == "FAIL"


def test_without_a_wish_nothing_is_written():
    world = World()
    assert write(world) == ()
    assert len(world.table.items) == 40


def test_a_table_that_is_gone_does_not_keep_the_others_waiting():
    world = World()
    manifest: dict[str, Any] = copy.deepcopy(MANIFEST)
    manifest["resources"] = {"gone": {"type": "dynamodb-table", "name": "gone"}, **manifest["resources"]}
    manifest["backup"]["tables"] = {"gone": {"sentinel": True}, "orders": {"sentinel": True}}
    world.workloads = {"shop": load(manifest, {}, "production")}
    with pytest.raises(NotFoundError, match="gone"):
        write(world)
    assert written_at(world.table.items[-1], ("pk",)) == world.clock.now().replace(microsecond=0)
