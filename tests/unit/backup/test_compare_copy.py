"""Two exports read part by part, each part by itself: repeated, lost, damaged, and many."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from selfright.domain.backup.restore_test import id_of
from selfright.domain.backup.steps import Next
from selfright.domain.backup.verdict import CheckName, Verdict
from selfright.usecases import compare_copy as room
from tests.unit.backup.world import EXECUTION, TEST, World, orders
from tests.unit.digest.exports import MemoryExport, as_line

ALL_PASS = dict.fromkeys(CheckName, "PASS")


def exported(world: World) -> World:
    """Up to both exports."""
    world.begin()
    for station in (world.watch_restore, world.watch_exports):
        while station().next is Next.WAIT:
            world.clock.advance(30)
    return world


def concluded(world: World) -> dict[str, str]:
    world.verify()
    world.record()
    return world.verdicts()


def test_equal_bytes_are_read_once_and_each_part_has_one_result():
    world = World()
    world.play()
    assert world.readings == [1]
    results = [key for key in world.results.written if "/source/" in key or "/copy/" in key]
    listed = json.loads(world.results.objects[f"exports/readings/{TEST}/1/parts.json"])
    assert len(results) == len(set(results)) == len(listed)
    assert {item["side"] for item in listed} == {"source", "copy"}
    assert all(id_of(item["execution"]) == TEST for item in listed)


def test_a_difference_takes_three_readings_and_is_named():
    world = World()
    world.backups.lose_in_restore = ["o-007"]
    world.play()
    assert world.readings == [1, 2, 3]
    assert world.verdicts() == ALL_PASS | {"complete": "FAIL"}
    assert world.tests.find(TEST).comparison.differences[0].key == "pk=o-007"


@pytest.mark.parametrize("lost", [[], ["o-007"], [f"o-{number:03}" for number in range(0, 40, 2)]])
def test_a_part_that_is_read_twice_counts_once(lost: list[str]):
    once, twice = World(), World()
    twice.twice = True
    for world in (once, twice):
        world.backups.lose_in_restore = lost
        world.play()
    assert len(twice.results.written) > len(once.results.written)
    assert twice.tests.find(TEST).comparison == once.tests.find(TEST).comparison
    assert twice.verdicts() == once.verdicts()


@pytest.mark.parametrize("reading", [1, 2, 3])
@pytest.mark.parametrize("side", ["source", "copy"])
def test_without_the_result_of_a_part_nothing_is_known(reading: int, side: str):
    # Given a copy that lacks an item, and a result that is lost before it is made use of
    world = World()
    world.backups.lose_in_restore = ["o-007"]
    exported(world)
    read = world.results.read

    def lost(key: str) -> Any:
        if f"/{reading}/{side}/" in key:
            world.results.objects.pop(key, None)
        return read(key)

    world.results.read = lost

    # When it is compared, then it is neither whole nor not
    assert world.compare().next is Next.GO
    verdicts = concluded(world)
    for name in (CheckName.COMPLETE, CheckName.INTEGRITY, CheckName.INVARIANTS):
        assert verdicts[name] == "INCONCLUSIVE"
        assert "the results of the parts are not whole" in world.reason(name)
    # And what needs no comparison is checked all the same
    assert verdicts["settings-parity"] == verdicts["rto-achieved"] == "PASS"
    assert world.tests.find(TEST).verdict is Verdict.INCONCLUSIVE


def test_a_part_that_is_another_one_is_not_believed():
    world = exported(World())
    read = world.results.read

    def mixed(key: str) -> Any:
        document = read(key)
        if "result" in document:
            document["result"]["part"] = "another.json.gz"
        return document

    world.results.read = mixed
    world.compare()
    assert concluded(world)["complete"] == "INCONCLUSIVE"
    assert "another.json.gz is no part of this export" in world.reason("complete")


def test_two_empty_exports_need_no_reading():
    world = exported(World(items=[]))
    world.backups.open = lambda _: MemoryExport([])
    world.compare()
    assert world.readings == []
    assert concluded(world)["complete"] == "PASS"
    assert "at least 1 wanted" in world.reason("application-invariants")


def damaged(world: World, side: str, change: Any) -> None:
    """Both exports of three parts; one file of one side is changed."""
    parts = [[as_line(dict(item)) for item in orders(40)[first::3]] for first in range(3)]
    exports = {"source": MemoryExport(parts), "copy": MemoryExport(parts)}
    change(exports[side])
    world.backups.open = lambda export: exports[export.folder.rpartition("-")[2]]


def wrong_md5(export: MemoryExport) -> None:
    export.files["part1.json.gz"] = gzip.compress(gzip.decompress(export.files["part1.json.gz"]), 9)


def without_a_part(export: MemoryExport) -> None:
    del export.files["part1.json.gz"]


def cut_short(export: MemoryExport) -> None:
    del export.beside["manifest-summary.json"]


def truncated(export: MemoryExport) -> None:
    export.files["part1.json.gz"] = export.files["part1.json.gz"][:-20]


@pytest.mark.parametrize("side", ["source", "copy"])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (wrong_md5, ["bad_md5"]),
        (without_a_part, ["missing_part"]),
        (cut_short, ["manifest_missing"]),
        (truncated, ["truncated_gzip", "bad_md5"]),
    ],
)
def test_what_is_wrong_with_an_export_is_told_apart(side: str, change: Any, told: list[str]):
    world = exported(World())
    damaged(world, side, change)
    world.compare()
    verdicts = concluded(world)
    assert verdicts["complete"] == "FAIL"
    problems = world.tests.find(TEST).comparison.problems
    assert [problem.rpartition("(")[2].rstrip(")") for problem in problems] == told
    assert all(problem.startswith(f"{side}: ") for problem in problems)
    assert verdicts["integrity"] == verdicts["application-invariants"] == "INCONCLUSIVE"


def test_a_line_that_is_no_item_is_found_though_both_sides_have_it():
    world = exported(World())
    broken = b'{"Item":{"pk":{"S":"o-1"},"state":{"S":"open"},}}'
    export = MemoryExport([[as_line(dict(orders(1)[0])), broken]])
    world.backups.open = lambda _: export
    world.compare()
    assert concluded(world)["complete"] == "FAIL"
    assert "malformed_line" in world.reason("complete")


def test_when_too_many_readings_would_be_needed_that_is_told(monkeypatch: pytest.MonkeyPatch):
    # Given room for two items at a time, and two readings for keys
    monkeypatch.setattr(room, "EFFORT", replace(room.EFFORT, at_once=2, readings=2))
    world = World()
    world.backups.lose_in_restore = [f"o-{number:03}" for number in range(40)]
    world.play()
    assert world.readings == [1, 2, 3, 4]
    assert not world.tests.find(TEST).comparison.all_located
    assert world.verdicts()["complete"] == "FAIL"


def test_what_travels_between_states_stays_small():
    world = exported(World(items=orders(3000)))
    step = room.compare_copy(TEST, 0, exports=world.backups, results=world.results, tests=world.tests)
    assert len(step.model_dump_json()) < 500  # 256 KiB are AWS's limit for a state
    assert EXECUTION not in step.model_dump_json()
