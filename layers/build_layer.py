"""Fill a Lambda layer's folder: build_layer.py core|vendor ARTIFACTS_DIR

SELFRIGHT_TARGET chooses who will run it: `aws` (default; python3.13 on arm64) or `sandbox` (the interpreter
of the local AWS, on this machine). Equal inputs give equal bytes: an unchanged layer is not published again.

Standard library only: it runs before anything of the project is installed. The wheels come through uv:
unlike pip it judges a lock's environment markers for the target and not for the interpreter at hand.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # sam runs this file by its path

from layers.trim_models import LEAN, services_of, trim_models  # noqa: E402

UV = ROOT / ".envs" / "uv" / "bin" / "uv"
DEV = ROOT / ".envs" / "dev"
EMULATOR = ROOT / ".envs" / "emulator"
EMULATOR_PYTHON = EMULATOR / "bin" / "python"
LAMBDA_PYTHON = (3, 13)
CONTENT = "selfright_content"
MODELS = "selfright_models"
LEAN_SERVICES = ROOT / "layers" / "lean_services.py"
USER_HOME = (
    "SELFRIGHT_USER_HOME"  # where settings of the installer and other Pythons are, if sam has another HOME
)

WORKLOADS = "SELFRIGHT_WORKLOADS"  # a folder with the manifests of other workloads than the shipped ones

# Written by the installer, with paths and times of this machine; nobody reads them at run time. METADATA and
# entry_points.txt stay: pydantic looks through them for plugins at import.
INSTALLER_NOTES = ("RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json", "uv_cache.json")


class BuildError(Exception):
    """The layer cannot be built; the message says what to do about it."""


@dataclass(frozen=True)
class Target:
    """Who runs the layer. `interpreter` precompiles it, where that Python runs on this machine.

    `botocore` is an environment whose botocore is that of the runtime, or near it: its models are trimmed.
    """

    wheels: tuple[str, ...]
    interpreter: Path | None
    botocore: Path


def choose_target(name: str) -> Target:
    """The target called `name`. Raises BuildError where there is no such one, or it is not installed."""
    if name == "aws":
        version = ".".join(map(str, LAMBDA_PYTHON))
        platform = ("--python-version", version, "--python-platform", "aarch64-manylinux2014")
        return Target(("--python", sys.executable, *platform), find_python(LAMBDA_PYTHON), DEV)
    if name == "sandbox":
        if not EMULATOR_PYTHON.exists():
            raise BuildError("the local AWS is not installed; run `make emulator`")
        return Target(("--python", str(EMULATOR_PYTHON)), EMULATOR_PYTHON, EMULATOR)
    raise BuildError(f"SELFRIGHT_TARGET: aws or sandbox, not {name!r}")


def user_home() -> Path:
    return Path(os.environ.get(USER_HOME) or Path.home())


def find_python(version: tuple[int, int]) -> Path | None:
    """An interpreter of that version on PATH or in pyenv. pyenv's shims exist also where they do not run."""
    name = f"python{version[0]}.{version[1]}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or user_home() / ".pyenv")
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    folders += sorted(pyenv.glob(f"versions/{version[0]}.{version[1]}.*/bin"))
    for candidate in (folder / name for folder in folders):
        if candidate.is_file() and _answers(candidate, version):
            return candidate
    return None


def _answers(interpreter: Path, version: tuple[int, int]) -> bool:
    question = [str(interpreter), "-c", "import sys; print(sys.version_info[:2])"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.strip() == str(version)


def install_vendor(python: Path, target: Target) -> None:
    """Put the locked third parties under `python`, hashes checked, without what only an installer needs."""
    if not UV.exists():
        raise BuildError("uv is not installed; run `make .envs/uv/bin/uv`")
    # Copied, not linked: a file of the layer must never be one with a file of uv's cache.
    environment = {
        **os.environ,
        "HOME": str(user_home()),
        "UV_LINK_MODE": "copy",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    lock = ROOT / "locks" / "vendor.txt"
    options = ("--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(lock))
    _run([str(UV), "pip", "install", *options, *target.wheels, "--target", str(python)], environment)
    for extra in (python / "bin", *python.glob("*/tests")):
        shutil.rmtree(extra, ignore_errors=True)
    for note in (
        python / ".lock",
        *(path for name in INSTALLER_NOTES for path in python.glob(f"*.dist-info/{name}")),
    ):
        note.unlink(missing_ok=True)


def copy_core(python: Path, target: Target) -> None:
    """Put our package under `python`, and beside it runbooks, workloads and AWS's models, as far as it needs them."""
    without_caches = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    shutil.copytree(ROOT / "layers" / "core" / "selfright", python / "selfright", ignore=without_caches)
    content = python / CONTENT
    (content / "runbooks").mkdir(parents=True)
    for runbook in sorted((ROOT / "runbooks").glob("*.yaml")):
        shutil.copyfile(runbook, content / "runbooks" / runbook.name)
    workloads = Path(os.environ.get(WORKLOADS) or ROOT / "workloads")
    if not workloads.is_dir():
        raise BuildError(f"{WORKLOADS}: there is no folder {workloads}")
    shutil.copytree(workloads, content / "workloads", ignore=without_caches)
    found = list(target.botocore.glob("lib/python3.*/site-packages/botocore/data"))
    if not found:
        raise BuildError(f"{target.botocore.name} has no botocore; run `make {target.botocore.name}`")
    package = python / "selfright"
    trim_models(found[0], services_of(package), python / MODELS)
    lean = [str(target.botocore / "bin" / "python"), str(LEAN_SERVICES), *services_of(package, LEAN)]
    # What adapters/lean_client.py reads.
    (python / MODELS / "lean.json").write_text(_run(lean, {"PATH": os.environ.get("PATH", "")}))
    # By an environment whose pydantic is that of the vendor layer; the hash seed orders the sets inside models.
    snapshots = [str(DEV / "bin" / "python"), "-m", "selfright.adapters.snapshots", str(content)]
    _run(snapshots, {"PYTHONPATH": str(python), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"})


def precompile(python: Path, interpreter: Path) -> None:
    """Ship bytecode that is used without looking at the source: more than halves the cold start (measured).

    The hash seed is fixed because it orders the sets inside code objects; the recorded paths are Lambda's.
    """
    options = ("-q", "--invalidation-mode", "unchecked-hash", "-s", str(python.parent), "-p", "/opt")
    command = [str(interpreter), "-m", "compileall", *options, str(python)]
    _run(command, {**os.environ, "PYTHONHASHSEED": "0"})


def _run(command: list[str], environment: dict[str, str]) -> str:
    """What the program prints. Raises BuildError where it fails."""
    try:
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise BuildError(f"there is no {command[0]}; run `make dev emulator`") from None
    if answer.returncode:
        raise BuildError(f"{Path(command[0]).name} failed:\n{answer.stdout}{answer.stderr}")
    return answer.stdout


def build(layer: str, artifacts: Path, target: Target) -> None:
    """Fill `artifacts`/python with the layer; what lay there before is gone."""
    python = artifacts.resolve() / "python"
    shutil.rmtree(python, ignore_errors=True)
    python.mkdir(parents=True)
    if layer == "core":
        copy_core(python, target)
    else:
        install_vendor(python, target)
    if target.interpreter:
        precompile(python, target.interpreter)


def main() -> int:
    parser = argparse.ArgumentParser(description="Fill a Lambda layer's folder.")
    parser.add_argument("layer", choices=("core", "vendor"))
    parser.add_argument("artifacts", type=Path)
    arguments = parser.parse_args()
    try:
        target = choose_target(os.environ.get("SELFRIGHT_TARGET", "aws"))
        build(arguments.layer, arguments.artifacts, target)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not target.interpreter:
        version = ".".join(map(str, LAMBDA_PYTHON))
        # On stdout: sam shows nothing else of a make that succeeds.
        sys.stdout.write(
            f"{arguments.layer} layer: no Python {version} runs here, so it ships without bytecode\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
