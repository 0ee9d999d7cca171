"""How a timeline looks in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from cli.timeline import entry_lines
from selfright.domain.incident import Entry, EntryKind


def test_an_undo_shows_the_values_that_went_back():
    entry = Entry(
        key="attempt-1-undone",
        at=datetime(2026, 11, 23, 10, tzinfo=UTC),
        kind=EntryKind.ACTION_UNDONE,
        text="shop-checkout: back to the values before",
        detail={"before": {"alias": "live", "version": "1"}, "after": {"alias": "live", "version": "2"}},
    )

    lines = [text.plain.strip() for text in entry_lines(entry, 12.0)]

    assert lines == ["12.0 s  undo     shop-checkout: back to the values before", "version 1 → 2"]
