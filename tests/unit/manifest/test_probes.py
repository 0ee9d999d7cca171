"""What a manifest may have asked before and after a release, and of its health."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.domain.errors import ManifestError
from selfright.domain.manifest import When, load

INVOKE = {"type": "invoke", "function": "checkout"}
HTTP = {"type": "http", "url": "https://shop.example/health"}
WORKFLOW = {"type": "workflow", "state_machine": "ordering"}


def manifest(smallest: dict[str, Any], **tests: Any) -> dict[str, Any]:
    resources = {
        **smallest["resources"],
        "ordering": {"type": "state-machine", "name": "ordering"},
        "stock": {"type": "lambda-function", "name": "stock"},
    }
    deployment = {"functions": ["checkout"], "smoke_tests": tests}
    return {**smallest, "resources": resources, "deployment": deployment}


def test_tests_are_sorted_by_when_they_are_asked(smallest: dict[str, Any]):
    tests = {"a": INVOKE, "b": {**INVOKE, "when": "after"}, "c": HTTP, "d": WORKFLOW}

    deployment = load(manifest(smallest, **tests), {}, "development").deployment

    assert list(deployment.tested(When.BEFORE)) == ["a"]
    assert list(deployment.tested(When.AFTER)) == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("test", "field", "rule"),
    [
        ({**INVOKE, "function": "stock"}, "function", "must name one of deployment.functions"),
        ({**INVOKE, "when": "after", "function": "till"}, "function", "must name a lambda-function"),
        ({**WORKFLOW, "state_machine": "checkout"}, "state_machine", "must name a state-machine"),
        ({**WORKFLOW, "when": "before"}, "when", "must be after"),
        ({**HTTP, "when": "before"}, "when", "must be after"),
        ({**HTTP, "url": "http://shop.example/"}, "url", "must be an https address"),
        ({**HTTP, "url": "https://ada:pw@shop.example/"}, "url", "must be an https address"),
        ({**HTTP, "url": "https://shop.example/a b"}, "url", "must be an https address"),
        ({**INVOKE, "within_seconds": 31}, "within_seconds", "must be at most 30"),
        ({**WORKFLOW, "within_seconds": 601}, "within_seconds", "must be at most 600"),
        ({"type": "shell"}, "type", "must be one of"),
    ],
)
def test_a_test_that_breaks_a_rule_is_refused_by_field(
    smallest: dict[str, Any], test: dict[str, Any], field: str, rule: str
):
    with pytest.raises(ManifestError, match=rule) as caught:
        load(manifest(smallest, it=test), {}, "development")

    assert caught.value.field == f"deployment.smoke_tests.it.{field}"


@pytest.mark.parametrize("section", ["deployment.smoke_tests", "health"])
def test_one_room_must_have_the_time_to_ask_them_all(smallest: dict[str, Any], section: str):
    slow = {key: {**INVOKE, "within_seconds": 25} for key in ("a", "b")}
    document = manifest(smallest, **(slow if section != "health" else {}))
    if section == "health":
        document["health"] = {"liveness": {"a": slow["a"]}, "deep": {"b": slow["b"]}}

    with pytest.raises(ManifestError, match="within 45 s together") as caught:
        load(document, {}, "development")

    assert caught.value.field == section


def test_health_asks_functions_that_there_are(smallest: dict[str, Any]):
    document = manifest(smallest)
    document["health"] = {"deep": {"till": {"type": "invoke", "function": "till"}}}

    with pytest.raises(ManifestError) as caught:
        load(document, {}, "development")

    assert caught.value.field == "health.deep.till.function"


@pytest.mark.parametrize(
    ("target_of", "rule"),
    [
        ({"stock": "end-to-end"}, "must name one of deployment.functions"),
        ({"checkout": "all"}, "targets.p95"),
    ],
)
def test_a_target_is_of_a_released_function_and_there(
    smallest: dict[str, Any], target_of: dict[str, str], rule: str
):
    document = manifest(smallest)
    document["targets"] = {"p95_seconds": {"end-to-end": 30}}
    document["deployment"]["target_of"] = target_of

    with pytest.raises(ManifestError, match=rule):
        load(document, {}, "development")
