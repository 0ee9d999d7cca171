"""Break the shipped manifest in one place after another: every time, that place is named."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfright.domain.errors import ManifestError
from selfright.domain.manifest import load

Path_ = tuple[str | int, ...]
Layers = dict[str, dict[str, Any]]

ENVIRONMENT = "production"
OVERLAY = f"{ENVIRONMENT}.yaml"
REQUIRED = {
    ("workload",),
    ("description",),
    ("owner",),
    ("resources", "orchestrator", "type"),
    ("resources", "orchestrator", "name"),
    ("resources", "analysis-results", "name"),
    ("alarms", "availability", "name"),
    ("alarms", "availability", "resource"),
    ("alarms", "availability", "symptom"),
    ("alarms", "availability", "severity"),
    ("targets", "throughput", "peak_concurrent"),
    ("targets", "throughput", "sustained_concurrent"),
    ("targets", "throughput", "completed_per_hour"),
    ("notifications", "channels", "pager", "type"),
    ("notifications", "channels", "pager", "secret"),
    ("escalation", "levels", 1, "level"),
    ("escalation", "levels", 1, "who"),
    ("escalation", "levels", 1, "answer_within_minutes"),
    ("escalation", "levels", 1, "channels"),
    ("deployment", "strategy", "type"),
    ("deployment", "strategy", "percents"),
    ("deployment", "strategy", "every_seconds"),
    ("windows", "maintenance", 0, "name"),
    ("windows", "maintenance", 0, "days"),
    ("windows", "maintenance", 0, "from"),
    ("windows", "maintenance", 0, "to"),
    ("windows", "freezes", 0, "from"),
    ("windows", "freezes", 0, "to"),
    ("settings", "bedrock", "retries"),
    ("settings", "functions", "concurrency"),
    ("settings", "tables", "write_units"),
}
# Their keys are the author's own, so an unknown key is a new entry and its content is what is wrong.
OPEN_MAPPINGS = {
    ("resources",),
    ("resources", "orchestrator", "circuits"),
    ("alarms",),
    ("targets", "p95_seconds"),
    ("autonomy", "runbooks"),
    ("backup", "tables"),
    ("deployment", "smoke_tests"),
    ("deployment", "target_of"),
    ("health", "liveness"),
    ("health", "readiness"),
    ("health", "deep"),
    ("notifications", "channels"),
    ("flags",),
    ("deployment", "configurations"),
}

DOCUMENTS = {"event", "expect", "input"}  # of smoke tests and health: any JSON, the workload's own


@pytest.fixture(scope="module")
def layers(workloads: Path) -> Layers:
    folder = workloads / "opportunity-analysis"
    return {file: yaml.safe_load((folder / file).read_text("utf-8")) for file in ("base.yaml", OVERLAY)}


def test_the_manifest_is_whole_before_it_is_broken(layers: Layers):
    assert load(layers["base.yaml"], layers[OVERLAY], ENVIRONMENT).workload == "opportunity-analysis"


@pytest.mark.parametrize("file", ["base.yaml", OVERLAY])
def test_a_value_of_the_wrong_type(layers: Layers, file: str):
    for path in effective_paths(layers, file):
        value = at(layers[file], path)
        for wrong in wrong_types(value):
            error = error_after(layers, file, path, wrong)
            assert (error.file, error.field) == (file, dotted(path)), (path, wrong, str(error))


@pytest.mark.parametrize("file", ["base.yaml", OVERLAY])
def test_a_number_out_of_range(layers: Layers, file: str):
    for path in effective_paths(layers, file):
        if is_number(at(layers[file], path)):
            for wrong in (-1, 10**12):
                error = error_after(layers, file, path, wrong)
                assert (error.file, error.field) == (file, dotted(path)), (path, wrong, str(error))


@pytest.mark.parametrize("file", ["base.yaml", OVERLAY])
def test_an_unknown_key(layers: Layers, file: str):
    mappings = [path for path in effective_paths(layers, file) if isinstance(at(layers[file], path), dict)]
    for path in [(), *mappings]:
        if path in OPEN_MAPPINGS or {*path} & DOCUMENTS:
            continue
        error = error_after(layers, file, (*path, "nobody-knows"), 1)
        assert (error.file, error.field) == (file, dotted((*path, "nobody-knows"))), str(error)
        assert error.rule.startswith("is not a known field"), str(error)


@pytest.mark.parametrize("path", sorted(REQUIRED, key=str), ids=str)
def test_a_required_value_that_is_missing(layers: Layers, path: Path_):
    file = OVERLAY if has(layers[OVERLAY], path) else "base.yaml"
    broken = copy.deepcopy(layers)
    del at(broken[file], path[:-1])[path[-1]]

    with pytest.raises(ManifestError) as caught:
        load(broken["base.yaml"], broken[OVERLAY], ENVIRONMENT)

    assert (caught.value.file, caught.value.field, caught.value.rule) == (file, dotted(path), "is required")


def error_after(layers: Layers, file: str, path: Path_, value: Any) -> ManifestError:
    broken = layers | {file: copy.deepcopy(layers[file])}
    at(broken[file], path[:-1])[path[-1]] = value
    with pytest.raises(ManifestError) as caught:
        load(broken["base.yaml"], broken[OVERLAY], ENVIRONMENT)
    return caught.value


def effective_paths(layers: Layers, file: str) -> list[Path_]:
    """Every place in the file whose value the other file does not replace."""
    return [
        path
        for path in paths(layers[file])
        if not {*path[:-1]} & DOCUMENTS
        and (file == OVERLAY or not replaced(layers[file], layers[OVERLAY], path))
    ]


def replaced(base: Any, overlay: Any, path: Path_) -> bool:
    for part in path:
        if not isinstance(overlay, dict):
            return True
        if part not in overlay:
            return False
        overlay = overlay[part]
    return True


def paths(node: Any, path: Path_ = ()) -> Iterator[Path_]:
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in entries:
        yield (*path, key)
        yield from paths(child, (*path, key))


def wrong_types(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [5, True, ["a"], {"a": "b"}]
    if isinstance(value, bool):
        return [1, "true", [True], {}]
    if is_number(value):
        return [str(value), True, [value], {}]
    return [5, "text", True, {"a": 1} if isinstance(value, list) else ["a"]]


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def at(document: Any, path: Path_) -> Any:
    for part in path:
        document = document[part]
    return document


def has(document: Any, path: Path_) -> bool:
    try:
        at(document, path)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def dotted(path: Path_) -> str:
    return ".".join(map(str, path))
