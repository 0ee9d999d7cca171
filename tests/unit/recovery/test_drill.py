"""A drill: everything that a recovery does, on a copy that is thrown away; nothing live is touched or held."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from selfright.domain.backup.restore_test import ISOLATED
from selfright.domain.recovery.record import Status, recovery_of, table_name
from selfright.domain.recovery.request import RecoverInput
from selfright.usecases.start_drills import start_drills
from selfright.usecases.sweep_restores import sweep_restores
from tests.fakes.backups import FakeExecutions, MemoryRestoreTests
from tests.unit.backup.world import orders
from tests.unit.recovery.world import NOW, TABLE, World, asked


class RecordedDrills:
    def __init__(self) -> None:
        self.started: dict[str, RecoverInput] = {}

    def start(self, name: str, asked: RecoverInput) -> None:
        self.started.setdefault(name, asked)


def test_a_drill_recovers_a_copy_measures_it_and_leaves_nothing():
    # Given an incident that holds the live table: a drill must not wait for it, nor it for a drill
    world = World()
    world.leases.acquire(TABLE, "inc-1", NOW + timedelta(hours=5), NOW)
    made: list[str] = []
    restore = world.tables.restore

    def noted(table: str, copy: str, point: object) -> None:
        made.append(copy)
        restore(table, copy, point)  # type: ignore[arg-type]

    world.tables.restore = noted  # type: ignore[method-assign]
    before = world.tables.tables[TABLE].settings
    # When it is played
    found = world.play(asked(drill=True))
    # Then it is on record how long it took, in history and in a report
    assert (found.status, found.why, found.rpo_seconds) == (Status.RECOVERED, (), 0)
    (report,) = (json.loads(text) for text in world.reports.objects.values())
    assert (report["status"], report["rto_seconds"], report["rpo_seconds"]) == (
        "recovered",
        found.rto_seconds,
        0,
    )
    # And it only ever named the copy, which is gone
    assert [name.startswith(ISOLATED) for name in made] == [True]
    assert list(world.tables.tables) == [TABLE]
    assert world.tables.tables[TABLE].settings == before
    assert world.tables.tables[TABLE].items == orders(6)
    assert world.leases.holder(TABLE, NOW) == "inc-1"


def test_a_record_that_names_a_live_table_as_its_copy_goes_no_further():
    world = World()
    find = world.recoveries.find

    def spoiled(recovery: str) -> object:
        found = find(recovery)
        return found.but(copy_name=TABLE) if found and found.status is Status.RUNNING else found

    world.recoveries.find = spoiled  # type: ignore[method-assign, assignment]
    found = world.play(asked(drill=True))
    assert (found.status, found.why) == (Status.FAILED, (f"{TABLE} is not the name of its copy",))
    assert list(world.tables.tables) == [TABLE]


@pytest.mark.parametrize("table", ["orders", "selfright-restore-orders", "x-recovered-y"])
def test_a_copys_name_is_never_a_live_ones(table: str):
    name = table_name("rc-0123456789ab", table, isolated=True)
    assert name.startswith(ISOLATED)
    assert recovery_of(name) == "rc-0123456789ab"
    assert recovery_of(table) is None


def test_every_table_of_every_manifest_has_its_drill_once():
    world, drills = World(), RecordedDrills()
    for _ in range(2):
        started = start_drills(NOW, workloads=world.desk.workloads, drills=drills, switches=world.switches)
    assert started.executions == ("drill-2026-11-23-shop-orders",)
    (request,) = drills.started.values()
    assert (request.drill, request.dry_run, request.repoint, request.approval) == (True, False, False, None)
    assert world.play(request).status is Status.RECOVERED


def test_no_drill_while_the_kill_switch_is_on():
    world, drills = World(), RecordedDrills()
    world.switches.switches = world.switches.switches.model_copy(update={"kill_switch": True})
    assert start_drills(NOW, workloads=world.desk.workloads, drills=drills, switches=world.switches).paused
    assert drills.started == {}


def test_what_a_stopped_drill_left_is_swept_up():
    # Given a drill whose execution is stopped once its copy exists
    world = World()
    stop = RuntimeError("stopped")
    ready = world.tables.ready
    world.tables.ready = lambda copy: (
        (_ for _ in ()).throw(stop) if copy in world.tables.tables else ready(copy)
    )  # type: ignore[method-assign]
    world.tables.delete = lambda _copy: (_ for _ in ()).throw(stop)  # type: ignore[method-assign]
    world.play(asked(drill=True))
    assert len(world.tables.tables) == 2
    # When the sweep comes
    del world.tables.ready, world.tables.delete
    for _ in range(3):
        world.clock.advance(3600)
        sweep_restores(
            backups=world.tables,
            tests=MemoryRestoreTests(),
            recoveries=world.recoveries,
            executions=FakeExecutions(),
        )
    assert list(world.tables.tables) == [TABLE]
