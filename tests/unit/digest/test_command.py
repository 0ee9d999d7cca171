"""`selfright backup compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.backup import app
from tests.unit.digest.exports import EXPORT_ID, Item, MemoryExport, export_of

ITEMS: list[Item] = [
    {"pk": {"S": f"k{number}"}, "sk": {"N": str(number)}, "v": {"S": "x"}} for number in range(20)
]


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def place(tmp_path: Path) -> Any:
    """Write an export into a folder of its own; returns that folder."""

    def write(name: str, export: MemoryExport) -> Path:
        return export.write(tmp_path / name)

    return write


def test_equal_exports_end_with_0(place: Any):
    result = run(
        place("a", export_of(ITEMS)),
        place("b", export_of(ITEMS[::-1], 3)),
        "--key",
        "pk",
        "--key",
        "sk",
        "--json",
    )

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "verdict": "equal",
        "counts": {"source": 20, "copy": 20, "differences": 0, "exempted": 0, "buckets_reread": 0},
        "differences": [],
        "all_located": True,
        "problems": [],
    }


def test_different_exports_end_with_1_and_name_the_keys(place: Any):
    copy = [*ITEMS[2:], {**ITEMS[1], "v": {"S": "y"}}, {"pk": {"S": "[new]"}, "sk": {"N": "1"}}]
    folders = place("a", export_of(ITEMS)), place("b", export_of(copy))

    result = run(*folders, "--key", "pk", "--key", "sk", "--json")

    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["verdict"] == "different"
    assert found["differences"] == [
        {"key": {"pk": {"S": "[new]"}, "sk": {"N": "1"}}, "kind": "extra"},
        {"key": {"pk": {"S": "k0"}, "sk": {"N": "0"}}, "kind": "missing"},
        {"key": {"pk": {"S": "k1"}, "sk": {"N": "1"}}, "kind": "changed"},
    ]
    assert "missing  pk k0, sk 0" in run(*folders, "--key", "pk", "--key", "sk").stdout


def test_two_empty_exports_say_so(place: Any):
    result = run(place("a", export_of([])), place("b", export_of([])), "--key", "pk")

    assert result.exit_code == 0
    assert "empty" in result.stdout
    assert "proves nothing" in result.stdout


def test_a_missing_part_ends_with_2(place: Any):
    source, copy = place("a", export_of(ITEMS, 2)), place("b", export_of(ITEMS, 2))
    (copy / "AWSDynamoDB" / EXPORT_ID / "data" / "part1.json.gz").unlink()

    result = run(source, copy, "--key", "pk", "--json")

    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert found["verdict"] == "unusable"
    assert found["problems"] == [
        {"export": "copy", "kind": "missing_part", "where": "part1.json.gz", "what": "is not there"}
    ]


def test_a_folder_may_be_the_export_itself(place: Any):
    source = place("a", export_of(ITEMS))

    assert run(source / "AWSDynamoDB", source / "AWSDynamoDB" / EXPORT_ID, "--key", "pk").exit_code == 0


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_no_export_ends_with_2(place: Any, tmp_path: Path, options: list[str]):
    (tmp_path / "nothing").mkdir()

    for folder in ("nothing", "nowhere"):
        result = run(place(folder + "-a", export_of(ITEMS)), tmp_path / folder, "--key", "pk", *options)

        assert result.exit_code == 2
        assert "AWSDynamoDB" in result.output or "must be a folder" in result.output


def test_two_exports_in_one_folder_are_not_guessed_among(place: Any):
    source = place("a", export_of(ITEMS))
    (source / "AWSDynamoDB" / "other" / "data").mkdir(parents=True)

    result = run(source, source, "--key", "pk")

    assert result.exit_code == 2
    assert f"holds the exports {EXPORT_ID}, other" in result.output


def test_a_key_that_is_none_ends_with_2(place: Any):
    source = place("a", export_of(ITEMS))

    assert run(source, source, "--key", "nope").exit_code == 2
    assert run(source, source, "--key", "pk", "--key", "sk", "--key", "v").exit_code == 2


def test_a_file_that_cannot_be_read_ends_with_2(place: Any, monkeypatch: pytest.MonkeyPatch):
    source = place("a", export_of(ITEMS))
    opened = Path.open

    def refuse(path: Path, mode: str = "r") -> Any:
        if path.name == "part0.json.gz":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, mode)

    monkeypatch.setattr(Path, "open", refuse)
    result = run(source, source, "--key", "pk", "--json")

    assert result.exit_code == 2
    assert json.loads(result.stdout)["verdict"] == "unusable"
