"""The state machines as AWS's linters see them: cfn-lint reads only inline definitions, so each is put into a template."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.template import ROOT

MACHINES = sorted((ROOT / "statemachines").glob("*.asl.json"))
CFN_LINT = Path(sys.executable).with_name("cfn-lint")
ASL_VALIDATOR = ROOT / ".envs" / "node" / "node_modules" / ".bin" / "asl-validator"


def substituted(path: Path) -> str:
    """The definition with every ${Name} replaced by the ARN of a function."""

    return re.sub(r"\$\{(\w+)\}", r"arn:aws:lambda:eu-central-1:123456789012:function:\1", path.read_text())


def inline(definition: dict[str, Any]) -> str:
    properties = {
        "RoleArn": "arn:aws:iam::123456789012:role/respond",
        "StateMachineType": "STANDARD",
        "Definition": definition,
    }
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Machine": machine}})


def test_cfn_lint_has_nothing_to_say_of_ours_and_sees_a_broken_one(tmp_path: Path):
    """In one run, because starting cfn-lint takes two seconds."""
    definitions = {path.name: json.loads(substituted(path)) for path in MACHINES}
    broken = json.loads(substituted(MACHINES[0]))
    del broken["StartAt"]
    for name, definition in {**definitions, "broken.json": broken}.items():
        (tmp_path / name).write_text(inline(definition))
    command = [
        str(CFN_LINT),
        "--format",
        "json",
        "--regions",
        "eu-central-1",
        "--",
        *map(str, tmp_path.glob("*")),
    ]

    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603

    problems = [(Path(m["Filename"]).name, m["Rule"]["Id"]) for m in json.loads(answer.stdout)]
    assert {name for name, _ in problems} == {"broken.json"}, answer.stdout
    assert ("broken.json", "E3601") in problems


@pytest.mark.skipif(not ASL_VALIDATOR.exists(), reason="asl-validator is not installed (it needs Node)")
@pytest.mark.parametrize("path", MACHINES, ids=lambda p: p.name)
def test_asl_validator_has_nothing_to_say(tmp_path: Path, path: Path):
    definition = tmp_path / path.name
    definition.write_text(substituted(path))
    node = shutil.which("node") or "node"

    answer = subprocess.run(  # noqa: S603
        [node, str(ASL_VALIDATOR), "--json-path", str(definition)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
