"""What starts backups: schedules, changes of configuration; and recovery that is kept on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selfright.domain.backup.catalogue import Changes, PointKind
from selfright.domain.backup.run import BackUpInput, Scope
from selfright.domain.errors import NotFoundError, SourceDownError
from selfright.domain.manifest import load
from selfright.edge.configuration_change import ChangeEvent
from selfright.ports import Switches
from selfright.usecases.ensure_recovery import Ensured, ensure_recovery
from selfright.usecases.note_change import note_change
from selfright.usecases.start_backups import DueBackups, StartedBackups, start_backups
from tests.fakes import Down, FakeSwitchBoard, StillClock
from tests.fakes.backups import FakeBackups
from tests.fakes.recovery import MemoryConfigurationChanges, MemoryRecoveryPoints, RecordingBackups
from tests.unit.back_up.world import SHOP
from tests.unit.backup.builders import settings

NOW = datetime(2026, 11, 22, 1, 31, 40, tzinfo=UTC)
WORKLOADS = {"shop": load(SHOP, {}, "production")}


def start(scope: Scope, executions: RecordingBackups, *, kill_switch: bool = False) -> StartedBackups:
    switches = FakeSwitchBoard()
    switches.switches = Switches(kill_switch=kill_switch)
    return start_backups(
        DueBackups(scope=scope),
        workloads=WORKLOADS,
        executions=executions,
        switches=switches,
        clock=StillClock(NOW),
    )


def test_a_schedule_that_comes_twice_starts_one_backup():
    executions = RecordingBackups()

    assert start(Scope.WEEKLY, executions) == start(Scope.WEEKLY, executions)

    assert executions.started == {"2026-11-22-weekly-shop": BackUpInput(workload="shop", scope=Scope.WEEKLY)}


@pytest.mark.parametrize("scope", [Scope.WEEKLY, Scope.MONTHLY])
def test_what_costs_money_by_the_gigabyte_is_not_started_while_the_kill_switch_is_on(scope: Scope):
    executions = RecordingBackups()

    assert start(scope, executions, kill_switch=True).paused

    assert executions.started == {}


def test_a_snapshot_is_taken_all_the_same():
    executions = RecordingBackups()

    assert not start(Scope.DAILY, executions, kill_switch=True).paused

    assert list(executions.started) == ["2026-11-22-daily-shop"]


# -- changes


class Changing:
    def __init__(self) -> None:
        self.clock = StillClock(NOW)
        self.changes, self.executions = MemoryConfigurationChanges(), RecordingBackups()

    def tell(self, source: str, **detail: Any) -> tuple[str, ...]:
        event = ChangeEvent.model_validate({"source": source, "detail": detail})
        return note_change(
            event.change,
            workloads=WORKLOADS,
            changes=self.changes,
            executions=self.executions,
            clock=self.clock,
        ).executions


def test_all_changes_of_five_minutes_are_one_snapshot_taken_at_their_end():
    world = Changing()
    world.tell("aws.ssm", name="/shop/production/cache")
    world.clock.advance(180)
    world.tell("aws.lambda", requestParameters={"functionName": "shop-production-checkout"})

    end = datetime(2026, 11, 22, 1, 35, tzinfo=UTC)
    assert world.executions.started == {
        "2026-11-22T01-35-change-shop": BackUpInput(workload="shop", scope=Scope.CHANGE, not_before=end)
    }
    assert world.changes.pending("shop", "production") == Changes(
        first=NOW, last=NOW + timedelta(seconds=180)
    )


def test_a_change_of_the_next_five_minutes_is_in_the_next_snapshot():
    world = Changing()
    world.tell("aws.ssm", name="/shop/production/cache")
    world.clock.advance(300)
    world.tell("aws.ssm", name="/shop/production/cache")

    assert len(world.executions.started) == 2


@pytest.mark.parametrize(
    ("source", "detail", "concerned"),
    [
        ("aws.ssm", {"name": "/shop/production/cache"}, True),
        ("aws.ssm", {"name": "/shop/staging/cache"}, False),
        ("aws.lambda", {"requestParameters": {"functionName": "shop-production-checkout"}}, True),
        ("aws.lambda", {"requestParameters": {"functionName": "somebody-elses"}}, False),
        ("aws.monitoring", {"requestParameters": {"dashboardName": "shop-production"}}, True),
        ("aws.appconfig", {"requestParameters": {"applicationId": "abc1234"}}, True),  # an id tells nothing
    ],
)
def test_a_change_concerns_whom_it_names_and_everybody_where_it_names_nobody(
    source: str, detail: dict[str, Any], concerned: bool
):
    assert bool(Changing().tell(source, **detail)) == concerned


def test_a_change_is_on_record_also_where_its_snapshot_cannot_be_started():
    world = Changing()
    world.executions = Down()  # type: ignore[assignment]

    with pytest.raises(SourceDownError):
        world.tell("aws.ssm", name="/shop/production/cache")

    assert world.changes.pending("shop", "production") is not None


# -- recovery

TABLE = "shop-production-orders"


class Recovering:
    def __init__(self, *, on: bool, **manifest: Any) -> None:
        self.clock = StillClock(NOW)
        self.backups = FakeBackups(self.clock)
        days = 35 if on else None
        self.table = self.backups.add(TABLE, settings(point_in_time_recovery_days=days), [])
        self.points, self.switches = MemoryRecoveryPoints(), FakeSwitchBoard()
        self.workloads = {"shop": load({**SHOP, **manifest}, {}, "production")}
        self.asked: list[str] = []

    def switch_on(self, table: str) -> None:
        self.asked.append(table)

    def look(self) -> Ensured:
        return ensure_recovery(
            workloads=self.workloads,
            backups=self.backups,
            recovery=self,
            points=self.points,
            switches=self.switches,
            clock=self.clock,
        )


def test_a_table_that_can_be_recovered_is_catalogued_as_of_its_newest_second():
    world = Recovering(on=True)

    assert world.look() == Ensured(on=(TABLE,))

    (point,) = world.points.newest("shop", "production")
    assert (point.kind, point.source, point.place.table) == (PointKind.TABLE_PITR, "orders", TABLE)
    assert point.taken_at == NOW - timedelta(minutes=5)
    assert world.asked == []


def test_recovery_that_is_off_is_switched_on_and_told():
    world = Recovering(on=False)

    assert world.look() == Ensured(off={TABLE: "switched on"})

    assert world.asked == [TABLE]
    assert world.points.newest("shop", "production") == []


def test_while_the_kill_switch_is_on_it_is_only_told():
    world = Recovering(on=False)
    world.switches.switches = Switches(kill_switch=True)

    assert world.look() == Ensured(off={TABLE: "the kill switch is on"})

    assert world.asked == []


def test_a_protected_table_is_never_changed():
    protected = {**SHOP["resources"]["orders"], "protected": True}  # type: ignore[index]
    world = Recovering(on=False, resources={**SHOP["resources"], "orders": protected})  # type: ignore[dict-item]

    assert world.look() == Ensured(off={TABLE: "it is protected"})

    assert world.asked == []


def test_in_a_freeze_nothing_is_changed():
    freeze = {"name": "year end", "from": "2026-11-20T00:00:00Z", "to": "2026-12-01T00:00:00Z"}
    world = Recovering(on=False, windows={"freezes": [freeze]})

    assert world.look() == Ensured(off={TABLE: "change freeze year end"})

    assert world.asked == []


def test_a_table_that_is_gone_is_an_error_and_not_silence():
    world = Recovering(on=True)
    del world.backups.tables[TABLE]

    with pytest.raises(NotFoundError):
        world.look()
