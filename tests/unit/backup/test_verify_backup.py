"""A restore test from its recovery point to its evidence, on tables in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from selfright.domain.backup.evidence import first_break
from selfright.domain.backup.restore_test import RecoveryWindow
from selfright.domain.backup.steps import Next, VerifyBackupInput
from selfright.domain.backup.verdict import CheckName, Verdict
from selfright.domain.errors import BadInputError, ConflictError, NotFoundError, SourceDownError
from selfright.ports import Switches
from selfright.usecases.start_restore_tests import Started, start_restore_tests
from selfright.usecases.sweep_restores import Swept, sweep_restores
from tests.fakes import Down, FakeSwitchBoard
from tests.fakes.backups import FakeExecutions
from tests.fakes.recovering import MemoryRecoveries
from tests.unit.backup.world import COPY, EXECUTION, TABLE, TEST, World, orders

ALL_PASS = dict.fromkeys(CheckName, "PASS")


def test_a_good_backup_passes_all_eight_checks_and_leaves_nothing_behind():
    world = World()
    source = world.table.settings

    test = world.play()

    assert world.verdicts() == ALL_PASS
    assert test.verdict is Verdict.PASS
    assert world.words == [Next.HOPED]
    assert world.backups.copies() == []
    assert world.table.settings == source
    assert len(world.table.items) == 40
    # five minutes behind, and 20 minutes until it was there, seen at the next look
    assert test.rpo_seconds == 300
    assert 1200 <= (test.rto_seconds or 0) <= 1230


def test_source_and_copy_are_compared_as_of_one_whole_second():
    world = World()
    world.clock.advance(0.75)

    test = world.play()

    # the copy has no past: what it holds now is what the source held then
    assert world.backups.points == [("restore", test.point), ("source", test.point), ("copy", None)]
    assert test.point is not None
    assert test.point.microsecond == 0


def test_an_empty_table_is_whole_but_not_what_the_application_wants():
    world = World(items=[])
    world.play()
    assert world.verdicts() == ALL_PASS | {"application-invariants": "FAIL"}
    assert world.reason("complete") == "source and copy are empty, and their exports are whole"
    assert world.reason("application-invariants") == "there are orders: 0 items, at least 1 wanted"


@pytest.mark.parametrize(
    ("plant", "failed", "said"),
    [
        ("drop", {"complete"}, "missing pk=o-000"),
        ("alter", {"integrity"}, "changed: pk=o-000"),
        ("duplicate", {"complete"}, "extra pk=o-000-planted"),
        ("setting", {"settings-parity"}, "tags is {'selfright-planted'"),
        ("short-export", {"complete"}, "copy: manifest-summary.json is not there: an export writes it when"),
        ("missing-part", {"complete"}, "is not there (missing_part)"),
        ("bad-md5", {"complete"}, "(bad_md5)"),
    ],
)
def test_a_planted_fault_is_found_by_its_check_and_named(plant: str, failed: set[str], said: str):
    world = World()

    test = world.play(plant)

    assert {name for name, verdict in world.verdicts().items() if verdict == "FAIL"} == failed
    assert said in world.reason(*failed)
    assert test.verdict is Verdict.FAIL
    assert world.words == [Next.HOPED]  # the drill went well
    assert world.evidence()["planted"].startswith(f"{plant}: ")
    assert world.backups.copies() == []
    assert len(world.table.items) == 40


def test_a_planted_fault_that_is_not_found_is_an_alarm():
    world = World()
    world.begin("setting")
    test = world.tests.find(TEST)
    world.tests.save(test.model_copy(update={"planted": "claimed, but never put in"}))

    world.play("setting")

    assert world.evidence()["verdict"] == "PASS"
    assert world.words == [Next.ALARM]


def test_a_lost_item_fails_without_anybody_planting_it():
    world = World()
    world.backups.lose_in_restore = ["o-007", "o-008"]
    world.play()
    assert world.verdicts() == ALL_PASS | {"complete": "FAIL"}
    names = next(c["names"] for c in world.evidence()["checks"] if c["name"] == "complete")
    assert names == ["pk=o-007", "pk=o-008"]
    assert world.words == [Next.ALARM]


def test_many_lost_items_are_counted_and_some_are_named():
    world = World(items=orders(500))
    world.backups.lose_in_restore = [f"o-{number:03}" for number in range(100, 400)]
    world.play()
    assert world.reason("complete").startswith("500 items in the source, 200 in the copy; missing pk=o-")
    assert world.reason("complete").endswith(" and 292 more")
    assert world.evidence()["comparison"]["counts"] == {"missing": 300}
    assert len(world.evidence()["comparison"]["differences"]) == 30


@pytest.mark.parametrize("setting", ["time_to_live", "stream", "deletion_protection"])
def test_a_setting_that_was_not_put_back_fails(setting: str):
    world = World()
    world.backups.forgets = {setting}
    world.play()
    assert world.verdicts() == ALL_PASS | {"settings-parity": "FAIL"}
    assert setting in world.reason("settings-parity")


def test_autoscaling_that_nobody_put_back_is_not_proven():
    world = World(autoscaling={"read": "5 to 100"})
    world.play()
    assert world.verdicts() == ALL_PASS | {"settings-parity": "INCONCLUSIVE"}
    assert world.words == [Next.ALARM]


def test_without_point_in_time_recovery_there_is_nothing_to_restore():
    world = World(point_in_time_recovery_days=None)
    test = world.play()
    assert world.verdicts()["existence"] == "FAIL"
    assert set(list(world.verdicts().values())[1:]) == {"INCONCLUSIVE"}
    assert test.verdict is Verdict.FAIL
    assert world.words == [Next.ALARM]


def test_a_recovery_window_that_has_just_opened_is_not_a_failure_yet(monkeypatch: pytest.MonkeyPatch):
    world = World()
    moment = world.clock.now().replace(microsecond=439_000)
    window = RecoveryWindow(earliest=moment, latest=moment, days=35)
    monkeypatch.setattr(world.backups, "window", lambda _: window)
    test = world.play()
    assert world.verdicts()["existence"] == "INCONCLUSIVE"
    assert test.verdict is Verdict.INCONCLUSIVE
    assert world.backups.points == []


@pytest.mark.parametrize(
    ("method", "check", "verdict"),
    [
        ("restore", "restorable", "FAIL"),
        ("begin", "complete", "INCONCLUSIVE"),
        ("done", "complete", "FAIL"),
        ("put_back", "settings-parity", "INCONCLUSIVE"),
    ],
)
def test_what_aws_refuses_is_on_record_and_never_a_pass(method: str, check: str, verdict: str):
    world = World()
    world.backups.refuse[method] = "LimitExceededException: too many"

    test = world.play()

    assert world.verdicts()[check] == verdict
    assert "LimitExceededException: too many" in world.reason(check)
    assert test.verdict is not Verdict.PASS
    assert world.words == [Next.ALARM]
    assert world.backups.copies() == []


def test_a_restore_that_takes_longer_than_allowed_is_given_up_and_cleaned_up_when_it_can_be():
    world = World()
    world.begin()
    world.backups.tables[COPY].ready_at = world.clock.now().replace(hour=9)

    test = world.play()

    assert world.verdicts()["rto-achieved"] == "FAIL"
    assert world.verdicts()["restorable"] == "INCONCLUSIVE"
    assert test.verdict is Verdict.FAIL
    assert world.backups.copies() == []


def test_a_station_that_failed_for_good_makes_a_pass_impossible():
    world = World()
    world.play()
    passed = world.tests.find(TEST).model_copy(update={"verdict": None})
    world.tests.save(passed)

    assert world.record(failure="States.Timeout: ").verdict is Verdict.INCONCLUSIVE
    assert world.evidence()["failure"] == "States.Timeout: "
    assert world.clean_up().next is Next.ALARM


def test_before_anything_was_compared_there_is_evidence_of_that_too():
    world = World()
    world.begin()
    assert world.record(failure="Lambda.Unknown: it died").verdict is Verdict.INCONCLUSIVE
    assert world.verdicts()["existence"] == "PASS"
    assert set(list(world.verdicts().values())[1:]) == {"INCONCLUSIVE"}


# -- repetitions


def test_every_room_may_be_repeated():
    world = World()
    watched: list[Any] = [world.watch_restore, world.watch_exports]
    steps: list[Any] = [world.begin, *watched, world.compare, world.verify, world.record]
    for step in steps:
        for _ in range(100):
            if step().next is not Next.WAIT:
                break
            world.clock.advance(30)
        again = step()
        assert again.next is Next.GO
    assert world.backups.copies() == [COPY]
    assert len(world.tests.tests) == 1
    assert world.verdicts() == ALL_PASS
    # the evidence is written once, and the chain has one link
    assert first_break([world.evidence()]) is None


def test_cleaning_up_twice_changes_nothing():
    world = World()
    world.play()
    cleaned = world.tests.find(TEST).cleaned_at
    world.clock.advance(60)
    assert world.clean_up().next is Next.HOPED
    assert world.tests.find(TEST).cleaned_at == cleaned


def test_evidence_is_linked_over_several_tests():
    world = World()
    for number in range(3):
        world.play(execution=f"{EXECUTION}-{number}")
    documents = [json.loads(text) for key, text in world.bucket.objects.items() if key.endswith(".json")]
    assert len(documents) == 3
    assert first_break(documents) is None


def test_evidence_that_another_test_overtook_comes_after_it(monkeypatch: pytest.MonkeyPatch):
    world = World()
    conclude, calls = world.tests.conclude, []

    def overtaken(*given: Any) -> None:
        calls.append(given)
        if len(calls) == 1:
            world.tests.hashes["shop", "production"] = "f" * 64
        conclude(*given)

    monkeypatch.setattr(world.tests, "conclude", overtaken)
    world.play()
    assert len(calls) == 2
    assert world.evidence()["previous"] == "f" * 64
    assert world.tests.find(TEST).verdict is Verdict.PASS


def test_evidence_that_is_always_overtaken_is_no_evidence(monkeypatch: pytest.MonkeyPatch):
    world = World()
    world.begin()

    def always(*_: Any) -> None:
        raise ConflictError("another came first")

    monkeypatch.setattr(world.tests, "conclude", always)
    with pytest.raises(ConflictError, match="overtaken 5 times"):
        world.record()
    assert world.tests.find(TEST).verdict is None


# -- input


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"workload": "nobody", "table": "orders"}, "workload"),
        ({"workload": "shop", "table": "carts"}, "table"),
    ],
)
def test_only_tables_of_the_manifest_are_tested(asked: dict[str, Any], field: str):
    from selfright.domain.backup.steps import RestoreBegin
    from selfright.usecases.restore_backup import restore_backup

    world = World()
    with pytest.raises(BadInputError) as caught:
        restore_backup(
            RestoreBegin.model_validate({**asked, "execution": EXECUTION}),
            workloads=world.workloads,
            backups=world.backups,
            tests=world.tests,
            clock=world.clock,
        )
    assert caught.value.field == field
    assert world.backups.copies() == []


def test_a_room_without_its_test_says_so():
    world = World()
    for room in (world.watch_restore, world.watch_exports, world.verify, world.record):
        with pytest.raises(NotFoundError):
            room()
    assert world.clean_up().next is Next.ALARM


def test_a_table_that_is_gone_has_no_recovery_point():
    world = World()
    del world.backups.tables[TABLE]
    world.play()
    assert world.verdicts()["existence"] == "FAIL"


# -- nightly, and what is left behind


def swept(world: World, *running: str) -> Swept:
    return sweep_restores(
        backups=world.backups,
        tests=world.tests,
        recoveries=MemoryRecoveries(),
        executions=FakeExecutions(*running),
    )


def test_a_copy_whose_test_was_stopped_is_deleted_as_soon_as_it_can_be():
    world = World()
    world.begin()
    # Given it is at work, then it is left alone
    assert swept(world, EXECUTION) == Swept()
    # When it was stopped while the copy is being created, then the copy is found, and goes when it can
    assert swept(world) == Swept(left_behind=(COPY,))
    world.clock.advance(1500)
    assert swept(world) == Swept(left_behind=(COPY,))
    assert swept(world) == Swept(left_behind=(COPY,), deleted=(COPY,))
    assert swept(world) == Swept()
    assert list(world.backups.tables) == [TABLE]


def test_a_copy_of_another_deployment_and_a_table_that_only_looks_like_one_are_left_alone():
    world = World()
    others = ("selfright-restore-rt-ffffffffffff-shop-staging-orders", "selfright-restore-by-hand")
    for name in others:
        world.backups.add(name, world.table.settings, [])
    assert swept(world) == Swept()
    assert set(world.backups.tables) == {TABLE, *others}


def test_each_table_is_tested_once_a_night():
    world, executions = World(), FakeExecutions()
    for _ in range(2):
        assert nightly(world, executions).executions == ("2026-11-23-shop-orders",)
    assert executions.started == {
        "2026-11-23-shop-orders": VerifyBackupInput(workload="shop", table="orders")
    }


def test_nothing_is_started_while_the_kill_switch_is_on_or_cannot_be_read():
    world, executions = World(), FakeExecutions()
    switches = FakeSwitchBoard()
    switches.switches = Switches(kill_switch=True)
    paused = nightly(world, executions, switches)
    assert (paused.paused, paused.executions) == (True, ())
    with pytest.raises(SourceDownError):
        nightly(world, executions, Down())
    assert executions.started == {}


def nightly(world: World, executions: FakeExecutions, switches: Any = None) -> Started:
    return start_restore_tests(
        world.clock.now(),
        workloads=world.workloads,
        executions=executions,
        switches=switches or FakeSwitchBoard(),
    )
