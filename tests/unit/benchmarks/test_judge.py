"""What is made of simulated releases: which methods count as rivals, and which cells decide."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from benchmarks.judge import MINUTES, STEP, Cell, Outcome, _on_counts
from benchmarks.judge_page import METHODS, page


def outcome(cell: Cell, promoted: int = 0, **found: Sequence[int]) -> Outcome:
    """Methods that are not named never roll back."""
    never = [0] * cell.runs
    return Outcome(cell, {"ours": never, **dict.fromkeys(METHODS, never)} | found, promoted)


def release(*minutes: tuple[int, int, int, int]) -> array[int]:
    """Control calls and errors, canary calls and errors of the first minutes; the same as the last one from then on."""
    every = [*minutes, *[minutes[-1]] * (MINUTES - len(minutes))]
    return array("i", [number for minute in every for number in minute])


def test_only_methods_that_keep_the_goal_everywhere_are_rivals():
    # Given 100 runs: the alarm loses 2 of the healthy ones at 100 calls, the plug-in none, and both see the bad one
    healthy = [
        outcome(Cell(10, 100), ours=[0] * 100),
        outcome(Cell(100, 100), ours=[7] + [0] * 99, alarm=[3, 4] + [0] * 98),
    ]
    bad = [
        outcome(Cell(10, 2, rate=0.3), ours=[10, 20], alarm=[2, 2], **{"plug-in": [20, 40]}),
        outcome(Cell(100, 2, rate=0.3), promoted=1, ours=[6, 6], alarm=[2, 2], **{"plug-in": [5, 5]}),
        outcome(Cell(100, 2, rate=0.02), ours=[60, 0]),
    ]
    slow = [
        outcome(Cell(10, 50, slower=1.0), ours=[20] + [0] * 49),
        outcome(Cell(10, 2, slower=3.0), ours=[20, 20]),
    ]

    found = page(healthy, bad, slow, healthy[:1], goal=0.01)

    assert found.worst == 0.01 + 0.02  # errors and latency
    assert found.ratio == 6 / 5  # not the alarm's 2, and the third cell has 60 on both sides
    assert found.minutes == (15 + 6 + 60) / 3
    assert "alarm" not in found.rival
    assert "15.0 · 30.0*" in found.tables  # where the alarm keeps the goal by luck
    assert "alarm 2.0 minutes, ours 15.0" in found.tables
    assert "above the service level 50.0% (1.0% → 30% at 100 calls a minute)" in found.tables


def test_ours_stops_a_release_in_the_minute_in_which_it_turns_bad():
    healthy, broken = (90, 0, 10, 0), (90, 0, 10, 10)

    assert _on_counts(release(healthy, healthy, broken), Cell(100, 1).plan) == (3, False)


def test_ours_lets_a_healthy_release_through_and_holds_one_without_calls():
    plan = Cell(100, 1).plan

    assert _on_counts(release((90, 0, 10, 0)), plan) == (0, True)
    assert _on_counts(release((2, 0, 0, 0)), plan) == (0, False)


def test_a_gate_stops_what_the_watch_cannot_tell():
    # Given that all errors fall into minutes of the first step in which the canary alone had calls: no block compares
    one_sided = [(0, 0, 20, 1)] * 10 + [(200, 0, 0, 0)] * 10

    assert _on_counts(release(*one_sided, (0, 0, 0, 0)), Cell(100, 1).plan) == (STEP, False)
