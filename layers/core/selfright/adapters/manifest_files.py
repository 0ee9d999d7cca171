"""Reads workloads/<name>/ from disk: base.yaml, one overlay, one `Workload`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from selfright.domain.errors import ManifestError, NotFoundError
from selfright.domain.manifest import Environment, Workload, first_shared_alarm, load

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # a build of PyYAML without libyaml: about ten times slower, the same result
    from yaml import SafeLoader  # type: ignore[assignment]

_WHOLE_FILE = "(whole file)"
_NULL, _BOOL = "tag:yaml.org,2002:null", "tag:yaml.org,2002:bool"
_INT, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"

_Lines = dict[str, int]
"""Dotted field to its line, counted from 1."""


def load_workload(folder: Path, environment: str) -> Workload:
    """The workload in `folder` (base.yaml and <environment>.yaml) for one environment.

    Raises ManifestError with "<file>:<line>", field and rule; NotFoundError where there is no such folder;
    BadInputError for an unknown environment.
    """
    environment = Environment.parse(environment)
    if not folder.is_dir():
        raise NotFoundError(f"there is no workload folder {folder}")
    base_file, overlay_file = str(folder / "base.yaml"), str(folder / f"{environment}.yaml")
    base, base_lines = _read(base_file)
    overlay, overlay_lines = _read(overlay_file)
    lines = {base_file: base_lines, overlay_file: overlay_lines}
    try:
        workload = load(base, overlay, environment, base_file=base_file, overlay_file=overlay_file)
    except ManifestError as error:
        raise _with_line(error, lines) from None
    if workload.workload != folder.name:
        file = overlay_file if "workload" in overlay else base_file
        rule = f"must be the name of its folder, {folder.name}"
        raise _with_line(ManifestError(file, "workload", rule), lines)
    return workload


def load_workloads(root: Path, environment: str) -> tuple[Workload, ...]:
    """Every workload below `root`, one per folder, in the order of their names.

    Raises what load_workload raises, and ManifestError where two workloads claim the same alarm.
    """
    if not root.is_dir():
        raise NotFoundError(f"there is no folder {root}")
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    workloads = tuple(load_workload(folder, environment) for folder in folders)
    if shared := first_shared_alarm(workloads):
        workload, breach = shared
        field = ".".join(str(part) for part in breach.path)
        raise ManifestError(str(root / workload.workload), field, breach.rule)
    return workloads


def _with_line(error: ManifestError, lines: dict[str, _Lines]) -> ManifestError:
    """Point at the line of the field, or of the nearest parent that is written in the file."""
    written, field = lines[error.file], error.field
    while field and field not in written:
        field = field.rpartition(".")[0]
    return ManifestError(f"{error.file}:{written.get(field, 1)}", error.field, error.rule)


def _read(file: str) -> tuple[dict[str, Any], _Lines]:
    try:
        node = yaml.compose(Path(file).read_text("utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise ManifestError(file, _WHOLE_FILE, "is missing") from None
    except UnicodeDecodeError:
        raise ManifestError(file, _WHOLE_FILE, "must be UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ManifestError(
            f"{file}:{line}", _WHOLE_FILE, f"must be YAML: {error.problem or error.context}"
        ) from None
    except yaml.YAMLError:
        raise ManifestError(file, _WHOLE_FILE, "must be YAML without control characters") from None
    if node is None:
        return {}, {}
    document = _Document(file)
    value = document.value(node)
    if not isinstance(value, dict):
        raise ManifestError(file, _WHOLE_FILE, "must be a mapping of sections to their content")
    return value, document.lines


class _Loader(SafeLoader):
    """Scalars as YAML 1.2 and JSON have them, so `22:00`, `off` and `2026-12-20` stay text."""


_Loader.yaml_implicit_resolvers = {}  # PyYAML's own follow YAML 1.1
_Loader.add_implicit_resolver(_NULL, re.compile(r"^(~|null|)$"), None)
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(true|false)$"), None)
# Longer numbers mean nothing in a manifest, and Python refuses to read very long ones.
_Loader.add_implicit_resolver(_INT, re.compile(r"^[-+]?[0-9]{1,18}$"), None)
_Loader.add_implicit_resolver(
    _FLOAT, re.compile(r"^[-+]?(\.[0-9]{1,18}|[0-9]{1,18}\.[0-9]{0,18})(e[-+]?[0-9]{1,3})?$"), None
)
_SCALARS: dict[str, Callable[[str], Any]] = {
    _NULL: lambda _: None,
    _BOOL: {"true": True, "false": False}.__getitem__,
    _INT: int,
    _FLOAT: float,
    "tag:yaml.org,2002:str": str,
}


class _Document:
    """Plain data from a tree of YAML nodes, remembering the line of every field."""

    def __init__(self, file: str) -> None:
        self.lines: _Lines = {}
        self._file = file
        self._open: list[yaml.Node] = []  # the nodes being read, outermost first

    def value(self, node: yaml.Node, path: tuple[str, ...] = ()) -> Any:
        """What the node stands for. Raises ManifestError where plain data cannot hold it."""
        if node in self._open:
            raise self._error(node, path, "must not contain itself")
        self._open.append(node)
        try:
            return self._read(node, path)
        finally:
            self._open.pop()

    def _read(self, node: yaml.Node, path: tuple[str, ...]) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return [self._entry(child, child, (*path, str(n))) for n, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            mapping: dict[str, Any] = {}
            for key, child in node.value:
                name = key.value
                if not isinstance(name, str):
                    raise self._error(key, path, "must have text as its keys")
                if name in mapping:
                    raise self._error(key, (*path, name), "must not appear twice")
                mapping[name] = self._entry(key, child, (*path, name))
            return mapping
        try:
            return _SCALARS[node.tag](node.value)
        except (KeyError, ValueError):
            raise self._error(node, path, "must be plain text, a number, true, false or null") from None

    def _entry(self, start: yaml.Node, node: yaml.Node, path: tuple[str, ...]) -> Any:
        self.lines[".".join(path)] = start.start_mark.line + 1
        return self.value(node, path)

    def _error(self, node: yaml.Node, path: tuple[str, ...], rule: str) -> ManifestError:
        line = node.start_mark.line + 1
        return ManifestError(f"{self._file}:{line}", ".".join(path) or _WHOLE_FILE, rule)
