"""Runbooks from disk, and the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from selfright.adapters.clock import SystemClock
from selfright.adapters.runbook_files import load_runbook, load_runbooks
from selfright.domain.errors import ManifestError
from tests.unit.template import ROOT

SHIPPED = ROOT / "runbooks" / "database-performance.yaml"


def test_runbooks_come_in_the_order_of_their_names(tmp_path: Path):
    for name in ("b-second", "a-first"):
        text = SHIPPED.read_text().replace("id: database-performance", f"id: {name}")
        (tmp_path / f"{name}.yaml").write_text(text)

    assert [r.id for r in load_runbooks(tmp_path)] == ["a-first", "b-second"]


@pytest.mark.parametrize(
    ("text", "field", "rule"),
    [
        ("a: [", "(whole file)", "must be readable YAML"),
        ("- a", "(whole file)", "must be a mapping"),
        ("", "(whole file)", "must be a mapping"),
        (SHIPPED.read_text(), "id", "must be the file's name, other"),
        (SHIPPED.read_text().replace("severity: high", "severity: huge"), "severity", "Input should be"),
    ],
)
def test_a_broken_file_is_named_with_field_and_rule(tmp_path: Path, text: str, field: str, rule: str):
    path = tmp_path / "other.yaml"
    path.write_text(text)

    with pytest.raises(ManifestError) as caught:
        load_runbook(path)

    assert (caught.value.file, caught.value.field) == ("other.yaml", field)
    assert caught.value.rule.startswith(rule)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ManifestError, match=r"missing\.yaml: \(whole file\)"):
        load_runbook(tmp_path / "missing.yaml")


def test_the_clock_tells_utc(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SELFRIGHT_CLOCK", raising=False)
    monkeypatch.setattr(time, "time", lambda: 1_795_428_000.0)

    assert SystemClock().now() == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_in_the_sandbox_it_runs_faster_from_its_origin_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SELFRIGHT_CLOCK", "1795428000*20")
    monkeypatch.setattr(time, "time", lambda: 1_795_428_003.0)

    assert SystemClock().now() == datetime(2026, 11, 23, 10, 1, tzinfo=UTC)
