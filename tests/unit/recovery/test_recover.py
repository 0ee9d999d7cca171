"""`recover` from the request to its end: what comes back, what is refused, and what is never touched."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from selfright.domain.backup.catalogue import Place, PointKind, RecoveryPoint
from selfright.domain.recovery.record import Act, Status, percentiles
from selfright.domain.recovery.steps import Go
from tests.fakes.releases import as_lambda_tells_it
from tests.unit.backup.world import orders
from tests.unit.recovery.world import APPROVED, BUCKET, FUNCTION, NOW, POINT, TABLE, World, asked

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


# -- objects


def test_deleted_and_overwritten_objects_come_back_as_new_versions():
    world = World()
    for key in ("in/a", "in/b", "in/c", "out/d"):
        world.objects.put(key, "good")
    point = world.clock.now()
    world.clock.advance(60)
    world.objects.put("in/a", "", marker=True)
    world.objects.put("in/b", "spoiled")
    world.objects.put("in/new", "new")
    world.objects.put("out/d", "", marker=True)
    before = {key: len(past) for key, past in world.objects.history.items()}
    request = asked(scenario="object", resource="papers", point=point, prefix="in/")
    # When a dry run looks, it writes nothing
    looked = world.play(request.model_copy(update={"dry_run": True}), "x:dry")
    assert [(f.name, f.loss) for f in looked.findings] == [("in/a", "deleted"), ("in/b", "changed")]
    assert {key: len(past) for key, past in world.objects.history.items()} == before
    # Then both come back, and nothing else is touched
    found = world.play(request)
    assert (found.status, found.rpo_seconds) == (Status.RECOVERED, 0)
    assert [world.objects.history[key][0].etag for key in ("in/a", "in/b", "in/c")] == ["good"] * 3
    assert len(world.objects.history["in/new"]) == 1
    assert world.objects.history["out/d"][0].marker
    assert found.source == BUCKET


def test_objects_of_which_nothing_is_kept_are_no_success():
    world = World()
    world.objects.put("in/a", "new")
    found = world.play(asked(scenario="object", resource="papers", prefix="in/", point=POINT))
    assert found.status is Status.REFUSED
    world.objects.versioned = False
    off = world.play(asked(scenario="object", resource="papers", prefix="in/", point=POINT), "x:off")
    assert (off.status, off.why) == (Status.FAILED, (f"bucket {BUCKET} keeps no versions",))


def test_a_protected_bucket_is_left_to_people():
    found = World().play(asked(scenario="object", resource="vault", prefix="in/", point=POINT))
    assert (found.status, found.why) == (Status.REFUSED, ("vault is protected: people recover it by hand",))


# -- code


def code(**given: Any) -> Any:
    request = asked(scenario="function-code", resource="checkout", approval=APPROVED).model_dump()
    return type(asked()).model_validate({**request, "point": None, **given})


def test_users_are_sent_back_to_the_version_before():
    world = World()
    bad = world.lambdas.publish(FUNCTION, None, "bad")
    world.lambdas.route(FUNCTION, "live", bad, {}, world.lambdas.alias(FUNCTION, "live").revision)
    found = world.play(code())
    assert (found.status, found.why) == (Status.RECOVERED, ())
    assert world.lambdas.versions_live() == {FUNCTION: "1"}
    assert found.steps[-1].result == f"version 1 runs, sha256 {as_lambda_tells_it('0' * 64)}"


def test_code_of_which_no_version_is_left_is_published_from_the_kept_package():
    # Given a function whose only version is the bad one, and last week's package
    world = World()
    world.kept.points.append((_package("a" * 64, NOW - timedelta(days=2)), b""))
    found = world.play(code(point=NOW - timedelta(days=1)))
    assert (found.status, found.why) == (Status.RECOVERED, ())
    live = world.lambdas.versions_live()[FUNCTION]
    assert world.lambdas.build(FUNCTION, live).code_sha256 == as_lambda_tells_it("a" * 64)
    assert found.rpo_seconds == 86400


def test_a_package_that_is_not_what_was_kept_goes_nowhere():
    world = World()
    package = _package("a" * 64, NOW - timedelta(days=2))
    place = package.place.model_copy(update={"key": "tampered.zip"})
    world.kept.points.append((package.model_copy(update={"place": place}), b""))
    found = world.play(code(point=NOW - timedelta(days=1)))
    assert found.status is Status.FAILED
    assert "is not the file that was asked for" in found.why[0]
    assert world.lambdas.versions_live() == {FUNCTION: "1"}


def test_code_is_not_moved_under_a_release():
    world = World()
    bad = world.lambdas.publish(FUNCTION, None, "bad")
    world.leases.acquire("release:shop:production", "rel-1", NOW + timedelta(hours=1), NOW)
    found = world.play(code())
    assert (found.status, found.why) == (Status.REFUSED, (f"rel-1 is changing {FUNCTION}",))
    assert world.lambdas.versions_live()[FUNCTION] != bad


def test_code_that_nobody_kept_is_refused():
    found = World().play(code(version="7"))
    assert found.status is Status.REFUSED


def _package(sha256: str, at: Any) -> RecoveryPoint:
    return RecoveryPoint(
        **RUN,
        kind=PointKind.FUNCTION_CODE,
        source="checkout",
        taken_at=at,
        place=Place(bucket="kept", key="checkout.zip", version="v1"),
        sha256=sha256,
        details={"version": "1", "code_sha256": as_lambda_tells_it(sha256)},
    )


# -- configuration

SNAPSHOT = {
    "parameters": {
        "/shop/a": {"type": "String", "version": 3, "value": "good"},
        "/shop/gone": {"type": "String", "version": 1, "value": "was here"},
        "/shop/key": {"type": "SecureString", "version": 2, "secret": True},
    },
    "alarms": {"shop-errors": {"AlarmName": "shop-errors", "Threshold": 5.0}},
}


def _snapshot(at: Any, document: dict[str, Any]) -> tuple[RecoveryPoint, bytes]:
    place = Place(bucket="kept", key=f"{at:%H%M}/configuration.json")
    point = RecoveryPoint(**RUN, kind=PointKind.CONFIGURATION, source="shop", taken_at=at, place=place)
    return point, json.dumps(document).encode()


def test_lost_settings_come_back_from_the_newest_snapshot_before():
    # Given a snapshot from before the point, and one that holds the mistake already
    world = World()
    world.kept.points = [
        _snapshot(POINT - timedelta(minutes=10), SNAPSHOT),
        _snapshot(NOW, {"parameters": {}}),
    ]
    alarm = '{"AlarmName":"shop-errors","Threshold":5.0}'
    world.board.now = {
        "parameter /shop/a": "spoiled",
        "alarm shop-errors": alarm,
        "parameter /shop/new": "kept",
    }
    found = world.play(_configuration())
    assert (found.status, found.why) == (Status.RECOVERED, ())
    assert world.board.now == {
        "parameter /shop/a": "good",
        "parameter /shop/gone": "was here",
        "parameter /shop/new": "kept",
        "alarm shop-errors": alarm,
    }
    assert found.rpo_seconds == 600
    assert found.left_to_people == ("parameter /shop/key (a secret)",)


def test_a_dry_run_names_the_settings_and_puts_none_back():
    world = World()
    world.kept.points = [_snapshot(POINT, SNAPSHOT)]
    found = world.play(_configuration(dry_run=True, approval=None))
    assert found.status is Status.PLANNED
    assert [(f.name, f.loss) for f in found.findings] == [
        ("parameter /shop/a", "deleted"),
        ("parameter /shop/gone", "deleted"),
        ("alarm shop-errors", "deleted"),
    ]
    assert world.board.now == {}


def test_without_a_snapshot_nothing_is_put_back():
    world = World()
    world.kept.points = [_snapshot(NOW, SNAPSHOT)]
    found = world.play(_configuration())
    assert found.status is Status.REFUSED
    assert "no snapshot is kept" in found.why[0]


def _configuration(**given: Any) -> Any:
    known = {
        "workload": "shop",
        "environment": "production",
        "scenario": "configuration",
        "point": POINT,
        "requested_by": "ada",
        "reason": "settings are gone",
        "dry_run": False,
        "approval": APPROVED,
    }
    return type(asked()).model_validate({**known, **given})
