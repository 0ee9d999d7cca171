"""One row per figure: what it is, what it is measured against, and what it may be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

BEGIN, END = "<!-- measured: python -m benchmarks -->", "<!-- end of what was measured -->"


@dataclass(frozen=True)
class Row:
    """`ratio` is value over the floor or peer named in `against`. Without a budget, `ok` is None: it informs."""

    name: str
    value: float
    unit: str
    against: str
    ratio: float | None
    budget: float | None
    ok: bool | None
    note: str = ""


def judged(  # noqa: PLR0917 - in the order of the table's columns
    name: str, value: float, unit: str, against: str, ratio: float, budget: float | None, note: str = ""
) -> Row:
    """A row whose ratio must not exceed its budget."""
    ok = None if budget is None else ratio <= budget
    return Row(name, round(value, 6), unit, against, round(ratio, 3), budget, ok, note)


def table(rows: Sequence[Row]) -> str:
    """Rows as text in columns, for a terminal or a Markdown page."""
    heads = ("name", "value", "unit", "against", "ratio", "budget", "ok", "note")
    lines = [heads, *(_cells(row) for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    text = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    text.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in text)


def write(rows: Sequence[Row], notes: dict[str, str], file: Path) -> None:
    content = {"notes": notes, "rows": [asdict(row) for row in rows]}
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def replaced(file: Path, rows: Sequence[Row]) -> list[Row]:
    """The rows of an earlier result with these in their places: a ratio is of one run, the table need not be."""
    if not file.exists():
        return list(rows)
    new = {row.name: row for row in rows}
    old = [Row(**row) for row in json.loads(file.read_text("utf-8"))["rows"]]
    kept = [new.pop(row.name, row) for row in old]
    return [*kept, *new.values()]


def publish(text: str, notes: dict[str, str], page: Path) -> None:
    """Put the table into a page, between its two marks."""
    before, rest = page.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    told = " · ".join(f"{name}: {value}" for name, value in notes.items())
    page.write_text(f"{before}{BEGIN}\n{told}\n\n{text}\n{END}{after}", "utf-8")


def _cells(row: Row) -> tuple[str, ...]:
    ok = {True: "yes", False: "NO", None: ""}[row.ok]
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    budget = "" if row.budget is None else f"{row.budget:g}"
    return (row.name, f"{row.value:.4g}", row.unit, row.against, ratio, budget, ok, row.note)
