"""What the journeys' folder promises about itself, read without a sandbox."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import yaml

from cli.template import granted
from tests.sandbox.journeys import conftest
from tests.sandbox.journeys.permissions import WITNESSES, witnesses

FOLDER = Path(conftest.__file__).parent
FILES = sorted(FOLDER.glob("test_*.py"))
JOURNEYS = Counter(
    node.name
    for file in FILES
    for node in ast.walk(ast.parse(file.read_text()))
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
)


def test_every_journey_has_its_place_in_the_order():
    assert sorted(conftest.ORDER) == [file.stem.removeprefix("test_") for file in FILES]


def test_no_two_journeys_have_one_name():
    assert [name for name, times in JOURNEYS.items() if times > 1] == []


def test_every_permission_of_the_template_has_its_witness_and_no_other():
    assert set(witnesses()) == set(granted())


def test_every_witness_is_a_journey_or_a_reason():
    for permission, witness in witnesses().items():
        if isinstance(witness, str):
            assert witness in JOURNEYS, permission
        else:
            assert list(witness) == ["not shown"], permission
            assert witness["not shown"], permission


def test_every_statement_says_what_for():
    told = yaml.safe_load(WITNESSES.read_text())["what for"]

    assert set(told) == {permission.sid for permission in granted()}
