"""Objects, code and configuration that come back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from selfright.domain.backup.catalogue import Place, PointKind, RecoveryPoint
from selfright.domain.recovery.record import Status
from tests.fakes.releases import as_lambda_tells_it
from tests.unit.recovery.world import APPROVED, BUCKET, FUNCTION, NOW, POINT, World, asked

RUN: dict[str, Any] = {"workload": "shop", "environment": "production", "run": "bk-0", "run_began_at": NOW}
IN_PLACE = {"mode": "in-place", "approval": APPROVED}


def named(world: World) -> list[str]:
    return sorted(world.tables.tables)


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
