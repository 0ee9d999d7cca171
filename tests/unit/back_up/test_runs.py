"""back_up, from its list of parts to its manifest: what is catalogued is whole, and what is not whole is not."""

from __future__ import annotations

import contextlib
import gzip
import json
from datetime import timedelta

import pytest

from selfright.domain.backup.catalogue import PointKind, Tier
from selfright.domain.backup.run import PartState, Scope, run_id
from selfright.domain.backup.steps import Next
from selfright.domain.errors import BadInputError, ConflictError, SourceDownError, ThrottledError
from tests.fakes import Down, Fuse
from tests.unit.back_up.world import DIED, EXECUTION, RUN, World

FOLDER = f"system/shop/production/2026/11/22/{RUN}"
WHOLE = {
    "table-export/orders": f"{FOLDER}/table-export/orders/AWSDynamoDB/{RUN}-orders/manifest-files.json",
    "template/shop-production": f"{FOLDER}/template/shop-production.json",
    "function-code/checkout": f"{FOLDER}/function-code/checkout.zip",
    "state-machine/fulfilment": f"{FOLDER}/state-machine/fulfilment.json",
    "object-inventory/invoices": f"{FOLDER}/object-inventory/invoices.jsonl.gz",
    "configuration/shop": f"{FOLDER}/configuration.json",
    "system-state/shop": f"{FOLDER}/manifest.json",
}


def test_a_whole_backup_catalogues_every_part_and_then_the_whole():
    world = World()

    done = world.play()

    assert (done.next, done.taken, done.failed) == (Next.HOPED, 6, 0)
    assert world.catalogued() == WHOLE
    manifest = world.document("system-state", "shop")
    assert manifest["format"] == "selfright-backup/1"
    assert [point["kind"] for point in manifest["points"]] == [
        kind.split("/")[0] for kind in list(WHOLE)[:-1]
    ]
    assert world.held.holder(world.run.target, world.clock.now()) is None


def test_the_whole_is_as_old_as_its_oldest_part():
    world = World()
    world.play()

    (whole,) = world.catalogue.history("shop", "production", PointKind.SYSTEM_STATE, "shop")

    assert whole.taken_at == world.run.began_at - timedelta(seconds=1)  # the inventory's whole second


@pytest.mark.parametrize("scope", [Scope.DAILY, Scope.CHANGE])
def test_a_snapshot_is_the_configuration_alone(scope: Scope):
    world = World()

    assert world.play(scope).next is Next.HOPED

    assert world.catalogued() == {
        "configuration/shop": f"snapshots/shop/production/2026/11/22/{RUN}/configuration.json"
    }
    assert world.document("configuration", "shop")["parameters"] == {"cache": "on"}


def test_an_archive_is_deep_and_never_the_newest_that_an_objective_rests_on():
    world = World()

    assert world.play(Scope.MONTHLY).next is Next.HOPED

    assert {point.tier for point in world.catalogue.all.values()} == {Tier.DEEP}
    assert world.catalogue.newest("shop", "production") == []
    assert all(key.startswith("archive/") for key in world.bucket.objects)
    assert {tier for _, tier in world.bucket.asked.values()} == {Tier.DEEP}


def test_an_inventory_names_what_was_current_and_counts_what_changed_meanwhile():
    world = World()
    world.play()

    (point,) = world.catalogue.history("shop", "production", PointKind.OBJECT_INVENTORY, "invoices")
    lines = gzip.decompress(world.bucket.read(point.place)).splitlines()

    assert [json.loads(line)["Key"] for line in lines] == ["a", "b"]
    assert point.details == {"objects": 2, "changed": 1}


# -- what fails


@pytest.mark.parametrize("gone", ["shop-production", "shop-production-checkout", "shop-production-invoices"])
def test_a_part_that_cannot_be_taken_holds_up_no_other_and_the_whole_is_not_catalogued(gone: str):
    world = World()
    world.state.gone.add(gone)

    done = world.play()

    assert (done.next, done.taken, done.failed) == (Next.ALARM, 5, 1)
    (failed,) = [part for part in world.run.parts if part.state is PartState.FAILED]
    assert failed.reason == f"there is no {gone}"
    assert set(world.catalogued()) == set(WHOLE) - {"system-state/shop", f"{failed.kind}/{failed.source}"}


def test_an_export_that_failed_is_no_recovery_point():
    world = World()
    world.exports.fails = "S3NoSuchBucket: the bucket is gone"

    assert world.play().next is Next.ALARM

    assert "table-export/orders" not in world.catalogued()
    assert "system-state/shop" not in world.catalogued()


def test_throttling_is_tried_again_and_in_the_end_given_up():
    world = World()
    world._taking["state"] = Down(ThrottledError("slow down"))

    done = world.play()

    # Then each part had three tries, a minute apart
    assert (done.next, done.taken, done.failed) == (Next.ALARM, 1, 5)
    assert {part.reason for part in world.run.parts if part.state is PartState.FAILED} == {"slow down"}
    assert {part.tries for part in world.run.parts if part.state is PartState.FAILED} == {3}
    assert set(world.catalogued()) == {"table-export/orders"}


def test_what_is_read_back_otherwise_than_it_was_written_is_not_catalogued():
    world = World()
    world._ports["bucket"] = Down(SourceDownError("read back with another checksum"))

    assert world.play(Scope.DAILY).next is Next.ALARM

    assert world.catalogued() == {}


def test_a_part_that_kills_its_room_every_time_is_given_up_and_the_rest_is_taken():
    world = World()
    world.plan(Scope.DAILY)
    world._taking["state"] = Down(DIED)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            world.take()

    assert world.take().failed == 1

    assert world.run.parts[0].reason == "3 tries were ended before they were over"
    assert world.finish().next is Next.ALARM


def test_a_machine_whose_station_failed_for_good_catalogues_no_whole():
    world = World()
    world.plan()
    world.take()

    done = world.finish("SourceDownError: the ledger is down")

    assert done.next is Next.ALARM
    assert "system-state/shop" not in world.catalogued()
    assert world.held.holder(world.run.target, world.clock.now()) is None


# -- twice, and at the same time


def test_two_whole_backups_are_not_taken_at_once():
    world = World()
    world.plan()

    with pytest.raises(ConflictError):
        world.plan(execution="another")
    # ... and the one that lost has nothing to end, and gives no lock back that is not its own
    assert world.finish("ConflictError: it is held", execution="another").next is Next.ALARM
    assert world.held.holder(world.run.target, world.clock.now()) == RUN


def test_a_snapshot_waits_for_another_one_and_then_goes_on():
    world = World()
    world.plan(Scope.CHANGE)

    waiting = world.plan(Scope.CHANGE, "another")
    world.take()
    world.finish()
    going = world.plan(Scope.CHANGE, "another")

    assert (waiting.next, waiting.wait, going.next) == (Next.WAIT, 60, Next.GO)


def test_a_snapshot_is_not_taken_before_the_changes_have_settled():
    world = World()
    settled = world.clock.now() + timedelta(seconds=90)

    waiting = world.plan(Scope.CHANGE, not_before=settled)

    assert (waiting.next, waiting.wait) == (Next.WAIT, 91)
    assert world.known_runs.find(RUN) is None
    world.clock.advance(91)
    assert world.plan(Scope.CHANGE, not_before=settled).next is Next.GO


def test_a_workload_that_nobody_knows_is_refused_by_name():
    with pytest.raises(BadInputError, match="workload: must be one of shop"):
        World().plan(workload="shoo")


def calls_of_a_good_run() -> list[str]:
    fuse = Fuse()
    assert World(fuse).play().next is Next.HOPED
    return fuse.calls


CALLS = calls_of_a_good_run()
EVERY_CALL = [
    pytest.param(number, before, id=f"{number}-{'before' if before else 'after'}-{call}")
    for number, call in enumerate(CALLS)
    for before in (True, False)
]


def test_a_good_run_reads_and_writes_what_it_should():
    assert CALLS.count("exports.begin") == 1
    assert CALLS.count("points.record") == len(WHOLE)
    assert set(CALLS) >= {"leases.acquire", "leases.release", "changes.covered", "bucket.put"}


@pytest.mark.parametrize(("number", "before"), EVERY_CALL)
def test_a_room_killed_at_any_call_and_repeated_catalogues_everything_once(number: int, before: bool):
    fuse = Fuse()
    world = World(fuse)
    fuse.blow(number, before=before, error=DIED)

    done = world.play()

    # Then the same points are there, each of an object that is there, and one export was paid for
    assert (done.next, done.taken) == (Next.HOPED, 6)
    assert world.catalogued() == WHOLE
    assert world.exports.begun == 1
    for point in world.catalogue.all.values():
        if point.kind is not PointKind.TABLE_EXPORT:
            assert len(world.bucket.read(point.place)) == point.size


@pytest.mark.parametrize(("number", "before"), EVERY_CALL)
def test_what_went_wrong_once_at_any_call_is_no_half_point(number: int, before: bool):
    """Without any Retry: whatever is catalogued then is whole."""
    fuse = Fuse()
    world = World(fuse)
    fuse.blow(number, before=before, error=RuntimeError("for good"))

    with contextlib.suppress(RuntimeError):
        world.play()

    whole = world.catalogue.history("shop", "production", PointKind.SYSTEM_STATE, "shop")
    assert not whole or world.run.complete
    for point in world.catalogue.all.values():
        if point.kind is not PointKind.TABLE_EXPORT:
            assert len(world.bucket.read(point.place)) == point.size


def test_the_execution_names_the_run():
    assert run_id(EXECUTION) == RUN
    assert run_id("another") != RUN
