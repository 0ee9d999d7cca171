"""A table that comes back: under a new name, or in place; and what is never touched."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from selfright.domain.recovery.record import Act, Status, percentiles
from selfright.domain.recovery.steps import Go
from tests.unit.backup.world import orders
from tests.unit.recovery.world import APPROVED, NOW, POINT, TABLE, World, asked

RUN: dict[str, Any] = {"workload": "shop", "environment": "production", "run": "bk-0", "run_began_at": NOW}
IN_PLACE = {"mode": "in-place", "approval": APPROVED}


def named(world: World) -> list[str]:
    return sorted(world.tables.tables)


# -- a table, under a new name


def test_a_dry_run_says_what_would_be_done_and_does_nothing():
    world = World()
    found = world.play(asked(dry_run=True))
    assert (found.status, world.end) == (Status.PLANNED, Go.WELL)
    assert [step.act for step in found.steps] == [Act.RESTORE, Act.EXPORT, Act.COMPARE, Act.SET_UP]
    assert [step.done_at for step in found.steps] == [None] * 4
    assert named(world) == [TABLE]
    assert found.rto_seconds is None


def test_a_table_comes_back_under_a_new_name_as_it_was_and_set_up():
    # Given items that were lost since
    world = World()
    world.lose_orders()
    # When it is restored to the moment before
    found = world.play(asked())
    # Then another table holds what it held, and is set up like it
    assert (found.status, found.why) == (Status.RECOVERED, ())
    copy = world.tables.tables[found.copy_name or ""]
    assert found.copy_name == f"{TABLE}-recovered-{found.id}"
    assert sorted(i["pk"]["S"] for i in copy.items) == sorted(i["pk"]["S"] for i in orders(6))
    assert copy.settings.time_to_live == "expires"
    # And the live one is as it was left; both objectives are measured
    assert world.now("o-001") == {"pk": {"S": "o-001"}, "state": {"S": "lost"}, "total": {"N": "1"}}
    assert world.tables.writes == []
    assert found.rpo_seconds == 0
    assert found.rto_seconds == (found.ended_at - NOW).total_seconds() >= 1200  # type: ignore[operator]
    assert world.leases.holder(TABLE, world.clock.now()) is None


def test_a_restored_table_that_is_not_what_it_was_is_not_recovered():
    world = World()
    world.tables.lose_in_restore.append("o-003")
    world.tables.past[TABLE] = orders(6)
    restore = world.tables.restore

    def short(table: str, copy: str, point: Any) -> None:
        restore(table, copy, point)
        world.tables.tables[copy].items = world.tables.tables[copy].items[:5]

    world.tables.restore = short  # type: ignore[method-assign]
    found = world.play(asked())
    assert (found.status, world.end) == (Status.FAILED, Go.BADLY)
    assert "missing pk=o-005" in found.why[0]
    assert found.rto_seconds is None


def test_a_setting_that_does_not_come_back_is_not_recovered():
    world = World()
    world.tables.forgets.add("stream")
    found = world.play(asked())
    assert (found.status, found.why) == (Status.FAILED, (f"not set up like {TABLE}: stream",))


def test_the_application_is_sent_to_the_restored_table_with_approval_alone():
    world = World()
    world.board.now["parameter /shop/settings"] = '{"table": "old", "caching": true}'
    refused = world.play(asked(repoint=True), "x:refused")
    assert (refused.status, refused.steps[0].done_at) == (Status.REFUSED, None)
    assert "approval: must be given" in refused.why[0]
    found = world.play(asked(repoint=True, approval=APPROVED))
    assert found.status is Status.RECOVERED, found.why
    assert json.loads(world.board.now["parameter /shop/settings"]) == {
        "table": found.copy_name,
        "caching": True,
    }


def test_what_took_how_long_before_is_what_is_expected_next():
    world = World()
    first = world.play(asked(), "x:1")
    world.clock.advance(3600)
    second = world.play(asked(point=POINT, dry_run=True), "x:2")
    assert first.expected_rto_seconds is None
    assert second.expected_rto_seconds == (first.rto_seconds, first.rto_seconds)
    assert percentiles([float(n) for n in range(1, 101)]) == (50, 95)


def test_a_moment_that_cannot_be_restored_yet_is_waited_for():
    world = World()
    found = world.play(asked(point=NOW - timedelta(minutes=1)))
    assert found.status is Status.RECOVERED
    asked_for = [point for what, point in world.tables.points if what == "restore"]
    assert asked_for == [NOW - timedelta(minutes=1)]
    assert (found.ended_at or NOW) - NOW >= timedelta(minutes=24)


# -- a table, in place


def test_a_dry_run_in_place_lists_the_keys_and_writes_nothing():
    world = World()
    world.lose_orders()
    found = world.play(asked(mode="in-place", dry_run=True))
    assert (found.status, found.why) == (Status.PLANNED, ())
    assert [(f.name, f.loss) for f in found.findings] == [("pk=o-000", "deleted"), ("pk=o-001", "changed")]
    assert (world.tables.writes, named(world)) == ([], [TABLE])


def test_in_place_only_what_was_lost_is_put_back():
    world = World()
    world.lose_orders()
    found = world.play(asked(**IN_PLACE))
    assert (found.status, found.why) == (Status.RECOVERED, ())
    assert (world.now("o-000"), world.now("o-001")) == (dict(orders(6)[0]), dict(orders(6)[1]))
    assert world.now("o-009") is not None  # written since, and nobody asked for it to go
    assert world.tables.writes == [TABLE, TABLE]
    assert named(world) == [TABLE]  # the copy was a means


def test_what_was_added_goes_where_it_is_asked_for():
    world = World()
    world.lose_orders()
    found = world.play(asked(**IN_PLACE, undo=["added"]))
    assert found.status is Status.RECOVERED
    assert (world.now("o-009"), world.now("o-000")) == (None, None)


def test_an_item_that_is_written_to_meanwhile_is_left_alone_and_named():
    # Given an order that a customer changes between the comparison and the putting back
    world = World()
    world.lose_orders()
    room = world.rooms[Go.ITEMS]

    def meanwhile(recovery: str) -> Any:
        world.tables.tables[TABLE].items = [
            {**i, "state": {"S": "paid"}} if i["pk"] == {"S": "o-001"} else i
            for i in world.tables.tables[TABLE].items
        ]
        world.rooms[Go.ITEMS] = room
        return room(recovery)

    world.rooms[Go.ITEMS] = meanwhile
    found = world.play(asked(**IN_PLACE))
    assert found.status is Status.FAILED
    assert found.why == ("1 of 2 not put back: pk=o-001 was written to meanwhile",)
    assert (world.now("o-001") or {})["state"] == {"S": "paid"}
    assert world.now("o-000") is not None


def test_more_than_was_approved_is_not_overwritten():
    world = World()
    world.lose_orders()
    found = world.play(asked(mode="in-place", approval={"approver": "bo", "at_most": 1}))
    assert found.status is Status.FAILED
    assert found.why == ("approval.at_most: 2 would be overwritten, 1 are approved",)
    assert world.tables.writes == []
