"""The comparison is tried on planted faults before it is believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from selfright.domain.backup import self_test
from selfright.domain.backup.self_test import faults_missed
from selfright.domain.digest import Verdict, compare

LINES = [b'{"Item":{"pk":{"S":"o-%d"},"total":{"N":"%d"}}}' % (number, number) for number in range(30)]


@pytest.mark.parametrize("lines", [LINES, LINES[:1]])
def test_all_faults_are_found(lines: list[bytes]):
    assert faults_missed(lines, ["pk"]) == ()


def test_a_comparison_that_sees_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch):
    def blind(*given: Any) -> Any:
        return replace(compare(*given), verdict=Verdict.EQUAL, differences=())

    monkeypatch.setattr(self_test, "compare", blind)
    assert faults_missed(LINES, ["pk"]) == ("drop", "alter", "duplicate")


def test_a_comparison_that_only_counts_is_found_out(monkeypatch: pytest.MonkeyPatch):
    def counts(*given: Any) -> Any:
        found = compare(*given)
        return replace(found, verdict=Verdict.EQUAL) if found.source_items == found.copy_items else found

    monkeypatch.setattr(self_test, "compare", counts)
    assert faults_missed(LINES, ["pk"]) == ("alter",)
