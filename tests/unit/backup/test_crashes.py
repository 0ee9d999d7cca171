"""A restore test that is interrupted at any call: nothing is left behind, nothing else is touched, nothing is made up."""

from __future__ import annotations

import pytest

from selfright.domain.backup.evidence import first_break
from selfright.domain.backup.restore_test import made_by
from selfright.domain.backup.verdict import Verdict
from selfright.domain.errors import SourceDownError
from selfright.usecases.sweep_restores import sweep_restores
from tests.fakes import Fuse
from tests.fakes.backups import FakeExecutions
from tests.fakes.recovering import MemoryRecoveries
from tests.unit.backup.world import TABLE, TEST, World, orders

HARMLESS = orders(3)


def calls_of_a_good_run() -> list[str]:
    fuse = Fuse()
    world = World(HARMLESS, fuse=fuse)
    assert world.play_through()
    return fuse.calls


CALLS = calls_of_a_good_run()
EVERY_CALL = [
    pytest.param(number, before, id=f"{number}-{'before' if before else 'after'}-{call}")
    for number, call in enumerate(CALLS)
    for before in (True, False)
]


def test_a_good_run_reads_and_writes_what_it_should():
    assert CALLS.count("backups.restore") == 1
    assert "tests.conclude" in CALLS
    assert set(CALLS) >= {"backups.begin", "backups.put_back", "bucket.write", "backups.delete"}


@pytest.mark.parametrize(("number", "before"), EVERY_CALL)
def test_what_may_be_repeated_is_repeated_and_comes_out_the_same(number: int, before: bool):
    fuse = Fuse()
    world = World(HARMLESS, fuse=fuse)
    fuse.blow(number, before=before, error=SourceDownError("it was down once"))

    assert world.play_through()

    assert world.tests.find(TEST).verdict is Verdict.PASS
    assert list(world.backups.tables) == [TABLE]
    assert first_break([world.evidence()]) is None
    assert len(world.tests.tests) == 1


@pytest.mark.parametrize(("number", "before"), EVERY_CALL)
def test_what_fails_for_good_leaves_nothing_and_passes_nothing(number: int, before: bool):
    fuse = Fuse()
    world = World(HARMLESS, fuse=fuse)
    before_values = world.table.settings
    fuse.blow(number, before=before, error=RuntimeError("it died for good"))

    succeeded = world.play_through()

    # Then a success is a verdict that was reached and linked, with all its checks
    test = world.tests.find(TEST)
    if succeeded:
        assert test.verdict is Verdict.PASS
        assert test.cleaned_at is not None
    if test and test.verdict is Verdict.PASS:
        assert {check.verdict for check in test.checks} == {Verdict.PASS}
        assert len(test.checks) == 8
    # And what the clean-up could not delete, the sweep does
    for _ in range(3):
        sweep_restores(
            backups=world.backups,
            tests=world.tests,
            recoveries=MemoryRecoveries(),
            executions=FakeExecutions(),
        )
        world.clock.advance(3600)
    assert [name for name in world.backups.tables if made_by(name)] == []
    assert world.backups.tables[TABLE].settings == before_values
    assert len(world.table.items) == len(HARMLESS)
