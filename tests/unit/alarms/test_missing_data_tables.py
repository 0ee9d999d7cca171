"""CloudWatch's own tables: every documented combination of points and missing-data mode."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from selfright.domain.alarms import State, evaluate
from tests.unit.alarms.builders import definition, drawn

TABLES = json.loads((Path(__file__).parent / "missing_data_tables.json").read_text())
MODES = ("missing", "ignore", "breaching", "notBreaching")


class Cell(NamedTuple):
    m: int
    n: int
    marks: str
    mode: str
    state: str


def cells(rows: list[dict[str, Any]]) -> list[Cell]:
    return [
        Cell(row["m"], row["n"], row["points"], mode, state)
        for row in rows
        for mode, state in zip(MODES, row["states"], strict=True)
    ]


CURRENT, OLDER = cells(TABLES["current"]), cells(TABLES["older_edition"]["rows"])


def test_the_tables_are_complete():
    assert len(set(CURRENT)) == 40


@pytest.mark.parametrize("previous", State)
@pytest.mark.parametrize(
    "cell", CURRENT + OLDER, ids=lambda cell: f"{cell.m}/{cell.n} {cell.marks} {cell.mode}"
)
def test_documented_cell(cell: Cell, previous: State):
    # Given the alarm of the table
    alarm = definition(DatapointsToAlarm=cell.m, EvaluationPeriods=cell.n, TreatMissingData=cell.mode)

    # When it is evaluated over the five points of the row
    evaluation = evaluate(alarm, drawn(cell.marks), previous)

    # Then it is in the documented state, whichever it was in before
    assert evaluation.state == (previous if cell.state == "retain" else State(cell.state))
