from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from layers import build_layer
from layers.build_layer import ROOT, BuildError, choose_target, copy_core, find_python
from sandbox import deployment
from sandbox.deployment import build, digest_of_inputs, override, what_went_wrong


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of which each input has one file."""
    for file in (
        "template.yaml",
        "layers/build_layer.py",
        "layers/core/selfright/a.py",
        "layers/vendor/Makefile",
        "layers/trim_models.py",
        "locks/emulator.txt",
        "locks/vendor.txt",
        "runbooks/r.yaml",
        "workloads/w/base.yaml",
        "functions/receive_signal/app.py",
        "sam",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("before\n")
    monkeypatch.setattr(deployment, "ROOT", tmp_path)
    monkeypatch.setattr(deployment, "SAM", tmp_path / "sam")
    return tmp_path


@pytest.mark.parametrize(
    "file",
    [
        "template.yaml",
        "layers/build_layer.py",
        "layers/core/selfright/a.py",
        "layers/core/selfright/new.py",
        "layers/vendor/Makefile",
        "layers/trim_models.py",
        "locks/emulator.txt",
        "locks/vendor.txt",
        "runbooks/r.yaml",
        "workloads/w/base.yaml",
    ],
)
def test_a_changed_input_changes_the_digest(project: Path, file: str):
    before = digest_of_inputs(project / "template.yaml", "sandbox")

    (project / file).write_text("after\n")

    assert digest_of_inputs(project / "template.yaml", "sandbox") != before


@pytest.mark.parametrize(
    "file", ["functions/receive_signal/app.py", "layers/core/selfright/__pycache__/a.pyc"]
)
def test_what_is_not_built_leaves_the_digest_alone(project: Path, file: str):
    before = digest_of_inputs(project / "template.yaml", "sandbox")

    (project / file).parent.mkdir(exist_ok=True)
    (project / file).write_text("after\n")

    assert digest_of_inputs(project / "template.yaml", "sandbox") == before


def test_a_file_that_moves_within_an_input_changes_the_digest(project: Path):
    before = digest_of_inputs(project / "template.yaml", "sandbox")

    (project / "runbooks/r.yaml").rename(project / "runbooks/s.yaml")

    assert digest_of_inputs(project / "template.yaml", "sandbox") != before


def test_each_target_has_a_digest_of_its_own(project: Path):
    template = project / "template.yaml"
    assert digest_of_inputs(template, "sandbox") != digest_of_inputs(template, "aws")


def test_other_workloads_are_another_build(project: Path):
    template, others = project / "template.yaml", project / "others"
    (others / "w").mkdir(parents=True)
    (others / "w" / "base.yaml").write_text("before\n")
    before = digest_of_inputs(template, "sandbox", others)
    assert before != digest_of_inputs(template, "sandbox")

    (others / "w" / "base.yaml").write_text("after\n")

    assert digest_of_inputs(template, "sandbox", others) != before


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", 'Name="plain"'),
        ("two words, and a comma", 'Name="two words, and a comma"'),
        ('says "hi"', r'Name="says \"hi\""'),
        (r"back\slash", r'Name="back\\slash"'),
    ],
)
def test_a_parameter_is_quoted_for_sam(value: str, written: str):
    assert override("Name", value) == written


def test_an_error_of_sam_is_told_without_what_went_before():
    output = "Uploading...\n\nError: stack exists\n  try another name\n"
    assert what_went_wrong(output) == "Error: stack exists\n  try another name"


def test_without_an_error_line_the_last_lines_are_told():
    output = "\n".join(f"line {number}" for number in range(40))
    assert what_went_wrong(output).splitlines() == [f"line {number}" for number in range(25, 40)]


class TestWorkloads:
    TARGET = build_layer.Target((), None, build_layer.DEV)

    def test_those_of_another_folder_are_deployed_instead(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        mine = tmp_path / "mine" / "opportunity-analysis"
        shutil.copytree(ROOT / "workloads" / mine.name, mine)
        with (mine / "base.yaml").open("a") as base:
            base.write("# mine\n")
        monkeypatch.setenv("SELFRIGHT_WORKLOADS", str(tmp_path / "mine"))

        copy_core(tmp_path / "python", self.TARGET)

        deployed = tmp_path / "python" / "selfright_content" / "workloads"
        assert [path.name for path in deployed.iterdir()] == [mine.name]
        assert (deployed / mine.name / "base.yaml").read_text().endswith("# mine\n")

    def test_a_folder_that_is_not_there_is_refused_by_name(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        monkeypatch.setenv("SELFRIGHT_WORKLOADS", str(tmp_path / "absent"))

        with pytest.raises(
            BuildError, match=f"SELFRIGHT_WORKLOADS: there is no folder {tmp_path / 'absent'}"
        ):
            copy_core(tmp_path / "python", self.TARGET)


class TestTargets:
    def test_aws_asks_for_wheels_of_lambda(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(build_layer, "find_python", lambda version: Path(f"/python{version}"))

        target = choose_target("aws")

        assert target.wheels[-4:] == (
            "--python-version",
            "3.13",
            "--python-platform",
            "aarch64-manylinux2014",
        )
        assert target.interpreter == Path("/python(3, 13)")

    def test_the_sandbox_asks_for_wheels_of_the_emulators_interpreter(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        (tmp_path / "python").touch()
        monkeypatch.setattr(build_layer, "EMULATOR_PYTHON", tmp_path / "python")

        target = choose_target("sandbox")

        assert (target.wheels, target.interpreter) == (
            ("--python", str(tmp_path / "python")),
            tmp_path / "python",
        )

    def test_the_sandbox_needs_the_emulator(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        monkeypatch.setattr(build_layer, "EMULATOR_PYTHON", tmp_path / "absent")
        with pytest.raises(BuildError, match="make emulator"):
            choose_target("sandbox")

    def test_another_target_is_refused_by_name(self):
        with pytest.raises(BuildError, match="SELFRIGHT_TARGET: aws or sandbox, not 'gcp'"):
            choose_target("gcp")


class TestFindPython:
    @pytest.fixture
    def machine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        (tmp_path / "path").mkdir()
        monkeypatch.setenv("PATH", str(tmp_path / "path"))
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
        return tmp_path

    @staticmethod
    def install(folder: Path, script: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        python = folder / "python3.13"
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        return python

    def test_on_path(self, machine: Path):
        python = self.install(machine / "path", "echo '(3, 13)'")
        assert find_python((3, 13)) == python

    def test_a_shim_that_does_not_run_is_passed_over_for_the_real_one_in_pyenv(self, machine: Path):
        self.install(machine / "path", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
        python = self.install(machine / "pyenv/versions/3.13.0/bin", "echo '(3, 13)'")
        assert find_python((3, 13)) == python

    def test_one_that_is_another_version_is_not_it(self, machine: Path):
        self.install(machine / "path", "echo '(3, 12)'")
        assert find_python((3, 13)) is None

    @pytest.mark.usefixtures("machine")
    def test_nowhere(self):
        assert find_python((3, 13)) is None


class TestBuildsAreKept:
    @pytest.fixture(autouse=True)
    def _sam_that_copies(self, project: Path) -> None:
        """Instead of building, note the template and what the build was for."""
        sam = project / "sam"
        sam.write_text(
            '#!/bin/sh\nmkdir "$6" && cp "$4" "$6/template.yaml" && echo "$SELFRIGHT_TARGET" > "$6/target"\n'
        )
        sam.chmod(0o755)

    def test_only_the_newest_stay(self, project: Path):
        template = project / "template.yaml"
        for version in range(5):
            template.write_text(f"{version}\n")
            build(template, project / "build", "sandbox")

        kept = sorted(path.read_text() for path in (project / "build").glob("*/template.yaml"))
        assert kept == ["2\n", "3\n", "4\n"]

    def test_one_that_is_used_again_counts_as_new(self, project: Path):
        template = project / "template.yaml"
        for version in (0, 1, 2, 0, 3):
            template.write_text(f"{version}\n")
            last = build(template, project / "build", "sandbox")

        kept = sorted(path.read_text() for path in (project / "build").glob("*/template.yaml"))
        assert kept == ["0\n", "2\n", "3\n"]
        assert last.template.with_name("target").read_text() == "sandbox\n"
