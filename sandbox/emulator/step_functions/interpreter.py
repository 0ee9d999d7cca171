"""Load moto's States-language interpreter without the AWS services that moto simulates.

Importing all of moto's parser costs 1.5 s, more than half of it for moto's EC2 models: the interpreter asks
`moto.batch` for one enumeration, and that package imports everything it knows.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

from sandbox.emulator.wrapping import PinnedNameMovedError

ROOT = "moto.stepfunctions.parser"
COSTLY = "moto.batch"


def asl(name: str) -> Any:
    """A module of the interpreter, below moto.stepfunctions.parser.asl."""
    return module(f"asl.{name}")


def module(name: str) -> Any:
    """A module below moto.stepfunctions.parser. Raises PinnedNameMovedError where there is none."""
    import_without_its_contents(COSTLY)
    try:
        return importlib.import_module(f"{ROOT}.{name}")
    except ModuleNotFoundError as gone:
        raise PinnedNameMovedError(
            f"{gone.name} is gone; locks/emulator.in pins the moto this behaviour was written for"
        ) from None


def loaded() -> list[ModuleType]:
    """Every module of the interpreter that has been imported."""
    return [found for name, found in sys.modules.items() if name.startswith(ROOT)]


def import_without_its_contents(package: str) -> None:
    """Let modules of `package` be imported without running the package's own __init__."""
    if package in sys.modules:
        return
    parent, _, _ = package.rpartition(".")
    importlib.import_module(parent)
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise PinnedNameMovedError(f"{package} is no package any more; moto is pinned in locks/emulator.in")
    empty = ModuleType(package)
    empty.__path__ = list(spec.submodule_search_locations)
    sys.modules[package] = empty
