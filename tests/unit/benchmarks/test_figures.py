"""How figures become rows: ratios of one round, budgets, cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.incident import PRICES, cost_row
from benchmarks.rounds import BenchmarkError, Child, Figures, cpu_seconds, interleaved
from benchmarks.rows import BEGIN, END, judged, publish, replaced, table, write
from benchmarks.scenes import CLIENTS, EXPECTED, NOT_MEASURED
from tests.unit.template import resources


def test_every_function_of_the_template_has_a_cold_start_row():
    rooms = {f["CodeUri"].removeprefix("functions/") for f in resources("AWS::Serverless::Function").values()}

    assert set(CLIENTS) == set(EXPECTED)
    assert set(CLIENTS) | NOT_MEASURED == rooms
    assert not set(CLIENTS) & NOT_MEASURED


def test_a_ratio_is_the_median_of_each_rounds_own():
    # Given a machine that was three times slower in the second round
    figures = Figures({"ours": [2.0, 6.0, 2.2], "floor": [1.0, 3.0, 1.0]})

    assert figures.ratio("ours", "floor") == 2.0
    assert figures.median("ours") == 2.2


def test_rounds_are_interleaved_and_the_first_one_only_warms_up():
    order: list[str] = []

    def measure(name: str, costs: Iterator[float]) -> Callable[[], float]:
        def run() -> float:
            order.append(name)
            return next(costs)

        return run

    figures = interleaved(
        {"a": measure("a", iter([9.0, 1.0, 2.0])), "b": measure("b", iter([9.0, 3.0, 4.0]))}, 2
    )

    assert order == ["a", "b"] * 3
    assert figures.rounds == {"a": [1.0, 2.0], "b": [3.0, 4.0]}


def test_a_child_that_fails_is_no_figure():
    with pytest.raises(BenchmarkError, match="ended with 3"):
        cpu_seconds(Child(("/bin/sh", "-c", "exit 3"), {}))


@pytest.mark.parametrize(("ratio", "budget", "ok"), [(1.0, 1.1, True), (1.2, 1.1, False), (9.0, None, None)])
def test_a_row_is_judged_by_its_budget(ratio: float, budget: float | None, ok: bool | None):
    assert judged("x", 1.0, "s", "y", ratio, budget).ok is ok


def test_a_table_is_put_between_the_marks_again_and_again(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")

    for value in (1.0, 2.0):
        publish(table([judged("x", value, "s", "y", value, None)]), {"measured": "2026-11-23"}, page)

    assert page.read_text().startswith(f"before\n{BEGIN}\nmeasured: 2026-11-23\n")
    assert page.read_text().endswith(f"{END}\nafter\n")
    assert "old" not in page.read_text()
    assert page.read_text().count("| x ") == 1


def test_what_an_incident_costs_is_mostly_its_transitions():
    # Given twelve states, six of them functions, and nineteen calls
    states = ["Choose the runbook", "Run the checks", "Choose the remedy", "Apply the action"]
    states += ["Judge the outcome", "Close the incident", *["Is there a remedy?"] * 6]
    transition = json.loads(PRICES.read_text())["prices"]["step_functions_standard_transition"]["usd"]

    row = cost_row(states, api_calls=19)

    assert row.value == pytest.approx(1000 * 12 * transition * (row.ratio or 0), rel=1e-3)
    assert row.value == pytest.approx(0.342, abs=0.01)


def test_a_part_of_a_run_replaces_its_own_rows(tmp_path: Path):
    first, second, third = (judged(name, 1.0, "s", "y", 1.0, None) for name in ("a", "b", "c"))
    write([first, second], {}, tmp_path / "results.json")
    better = judged("b", 0.5, "s", "y", 0.5, None)

    assert replaced(tmp_path / "results.json", [better, third]) == [first, better, third]
