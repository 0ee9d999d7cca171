"""The schema that editors use accepts what `load` accepts of one file, and marks what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.jsonschema import StandardValidator

from selfright.domain.manifest import manifest_schema


def complaints(document: Any) -> list[Any]:
    return list(StandardValidator(manifest_schema()).iter_errors(document))


def test_the_committed_schema_is_the_current_one(workloads: Path):
    committed = json.loads((workloads / "schema.json").read_text("utf-8"))

    assert committed == manifest_schema(), "run `make docs`"


def test_every_shipped_file_fits(workloads: Path):
    files = sorted(workloads.glob("*/*.yaml"))

    assert len(files) == 4
    for file in files:
        assert complaints(yaml.safe_load(file.read_text("utf-8"))) == [], file.name
        assert file.read_text("utf-8").startswith("# yaml-language-server: $schema=../schema.json\n")


@pytest.mark.parametrize(
    "document",
    [
        {"limits": {"cooldown_seconds": 60}},
        {"resources": {"orders": {"capacity": {"max_units": 40}}}},
        {"resources": {"orders": None}, "settings": {"bedrock": None}, "windows": {"freezes": None}},
    ],
)
def test_an_overlay_may_be_partial_and_remove(document: dict[str, Any]):
    assert complaints(document) == []


@pytest.mark.parametrize(
    "document",
    [
        {"limts": {}},
        {"limits": {"cooldown": 60}},
        {"limits": {"attempts": 0}},
        {"limits": {"attempts": "3"}},
        {"resources": {"orders": {"capacity": {"min": 1}}}},
        {"resources": {"Orders": {"type": "dynamodb-table"}}},
        {"alarms": {"x": {"symptom": "tired"}}},
        {"windows": {"maintenance": [{"from": "8pm"}]}},
    ],
)
def test_what_load_refuses_is_marked_while_one_types(document: dict[str, Any]):
    assert complaints(document) != []
