"""What restores took so far: percentiles that were measured, in the evidence and at the command line."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cli.backup_status import lines
from selfright.domain.backup.history import Measured, history_of, spread
from selfright.domain.backup.verdict import Verdict
from tests.fakes.backups import MemoryRestoreTests
from tests.unit.backup.builders import BEGAN
from tests.unit.backup.world import EXECUTION, TABLE, World


def measured(number: int, **changes: object) -> Measured:
    known = {
        "test": f"rt-{number:012}",
        "ended_at": BEGAN + timedelta(days=number),
        "verdict": Verdict.PASS,
        "rpo_seconds": 300.0,
        "rto_seconds": float(number),
    }
    return Measured.model_validate(known | changes)


@pytest.mark.parametrize(
    ("values", "p50", "p95"),
    [
        ([7], 7, 7),
        ([1, 2], 1, 2),
        (range(1, 21), 10, 19),
        (range(100, 0, -1), 50, 95),
    ],
)
def test_percentiles_are_values_that_were_measured(values: list[float], p50: float, p95: float):
    found = spread(list(values), 1000)
    assert (found.p50, found.p95) == (p50, p95)


def test_what_was_not_measured_is_neither_kept_nor_missed():
    found = history_of(
        [
            measured(1),
            measured(2, verdict=Verdict.INCONCLUSIVE, rto_seconds=None),
            measured(3, verdict=Verdict.FAIL, rto_seconds=20000.0, rpo_seconds=-1.0),
        ],
        rpo_allowed=3600,
        rto_allowed=14400,
    )
    assert (found.tests, found.passed) == (3, 1)
    assert (found.rto.measured, found.rto.within) == (2, 1)
    assert found.rpo.within == 2  # a recovery point after the beginning is no good one
    assert str(found.rto) == "p50 1 s, p95 20000 s, 14400 s are allowed; kept in 1 of 2 tests"


def test_before_the_first_test_nothing_is_claimed():
    assert str(spread([], 14400)) == "never measured, 14400 s are allowed"


def test_evidence_tells_what_restores_took_so_far():
    world = World()
    for night in range(3):
        world.play(execution=f"{EXECUTION}-{night}")
        world.clock.advance(86400)
    history = world.evidence()["history"]
    assert (history["tests"], history["passed"], history["rto"]["measured"]) == (3, 3, 3)
    assert history["rpo"]["p95"] == 300
    assert 1200 <= history["rto"]["p50"] <= 1230
    page = next(text for key, text in reversed(world.bucket.objects.items()) if key.endswith(".html"))
    assert "p50 300 s, p95 300 s, 3600 s are allowed; kept in 3 of 3 tests" in page


def test_a_drill_is_no_part_of_the_history():
    world = World()
    world.play(plant="drop")
    assert world.tests.measured == {}


def test_the_status_of_each_table_is_that_of_its_newest_test():
    world = World()
    world.play()
    world.backups.lose_in_restore = ["o-001"]
    world.play(execution=f"{EXECUTION}-2")
    (line,) = lines(world.workloads["shop"], world.tests)
    assert line["table"] == "orders"
    assert TABLE.endswith(line["table"])
    assert line["verdict"] == "FAIL"
    assert (line["tests"], line["passed"]) == (2, 1)


def test_a_table_that_was_never_tested_has_no_verdict():
    (line,) = lines(World().workloads["shop"], MemoryRestoreTests())
    assert line["verdict"] is None
    assert line["told"]["rto"] == "never measured, 14400 s are allowed"
