"""A snapshot holds what YAML says, and is passed over where it does not fit."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pydantic
import pytest

from selfright.adapters.manifest_files import load_workloads
from selfright.adapters.runbook_files import load_runbooks
from selfright.adapters.snapshots import RUNBOOKS, read_snapshot, write_snapshots
from selfright.domain.errors import ManifestError
from selfright.domain.manifest import Environment
from selfright.edge.settings import Settings
from selfright.wiring import House
from tests.unit.template import ROOT

BROKEN = "workload: opportunity-analysis\nbudget: 3\n"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    for part in ("runbooks", "workloads"):
        shutil.copytree(ROOT / part, tmp_path / part)
    return tmp_path


def test_a_snapshot_holds_what_yaml_says(content: Path):
    write_snapshots(content)

    for environment in Environment:
        assert read_snapshot(content, environment) == load_workloads(content / "workloads", environment)
    assert read_snapshot(content, RUNBOOKS) == load_runbooks(content / "runbooks")


def test_a_room_reads_the_snapshot_and_no_yaml(content: Path):
    write_snapshots(content)
    for file in content.rglob("*.yaml"):
        file.unlink()

    home = House(Settings(environment=Environment.STAGING, content=content))

    assert home.workloads["opportunity-analysis"].environment is Environment.STAGING
    assert "database-performance" in home.runbooks


def test_without_a_snapshot_yaml_is_read(content: Path):
    home = House(Settings(environment=Environment.STAGING, content=content))

    assert read_snapshot(content, Environment.STAGING) is None
    assert list(home.workloads) == ["opportunity-analysis"]
    assert "database-performance" in home.runbooks


def test_a_snapshot_of_another_pydantic_is_passed_over(content: Path):
    write_snapshots(content)
    file = content / f"{RUNBOOKS}.snapshot"
    file.write_bytes(b"0.1" + file.read_bytes().removeprefix(pydantic.VERSION.encode()))

    assert read_snapshot(content, RUNBOOKS) is None


def test_what_is_not_valid_gets_into_no_layer(content: Path):
    (content / "workloads" / "opportunity-analysis" / "base.yaml").write_text(BROKEN)

    with pytest.raises(ManifestError, match="budget"):
        write_snapshots(content)


def test_the_program_tells_the_build_what_to_mend(content: Path):
    (content / "workloads" / "opportunity-analysis" / "base.yaml").write_text(BROKEN)

    command = [sys.executable, "-m", "selfright.adapters.snapshots", str(content)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

    assert told.returncode == 1
    assert re.search(r"base\.yaml:2: budget: ", told.stderr)


def test_equal_content_gives_equal_bytes(content: Path):
    command = [sys.executable, "-m", "selfright.adapters.snapshots", str(content)]
    written = []
    for _ in range(2):
        subprocess.run(command, check=True, env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "0"})  # noqa: S603
        written.append({file.name: file.read_bytes() for file in content.glob("*.snapshot")})

    assert written[0] == written[1]
    assert len(written[0]) == len(Environment) + 1


def test_the_build_writes_with_the_pydantic_that_reads():
    pins = {
        lock: re.findall(r"^pydantic==(\S+)", (ROOT / "locks" / f"{lock}.txt").read_text(), re.MULTILINE)
        for lock in ("dev", "vendor")
    }

    assert pins["dev"] == pins["vendor"] != []
