"""From strategies to steps, and what a manifest may say of them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from selfright.domain.errors import BadInputError, ManifestError
from selfright.domain.manifest import Deployment, Strategy, load
from selfright.domain.release import checked, ramp
from tests.unit.usecases.release_world import NOW, RELEASING, manifest, request
from tests.unit.usecases.world import MANIFEST

STRATEGIES: TypeAdapter[Strategy] = TypeAdapter(Strategy)


@pytest.mark.parametrize(
    ("strategy", "steps"),
    [
        ({"type": "all-at-once"}, [(100, 300)]),
        ({"type": "canary", "percent": 10, "for_seconds": 600}, [(10, 600), (100, 300)]),
        (
            {"type": "linear", "percent": 25, "every_seconds": 120},
            [(25, 120), (50, 120), (75, 120), (100, 300)],
        ),
        ({"type": "linear", "percent": 40, "every_seconds": 60}, [(40, 60), (80, 60), (100, 300)]),
        (
            {"type": "custom", "percents": [1, 5, 25, 50, 100], "every_seconds": 900},
            [(1, 900), (5, 900), (25, 900), (50, 900), (100, 300)],
        ),
        ({"type": "custom", "percents": [100], "every_seconds": 60}, [(100, 300)]),
    ],
)
def test_the_steps_of_a_strategy_end_with_all_requests_and_the_bake(
    strategy: dict[str, Any], steps: list[tuple[float, int]]
):
    rungs = ramp(STRATEGIES.validate_python(strategy), Deployment(bake_seconds=300))

    assert [(rung.percent, rung.seconds) for rung in rungs] == steps
    assert [rung.whole for rung in rungs] == [False] * (len(steps) - 1) + [True]


@pytest.mark.parametrize(
    ("deployment", "field", "rule"),
    [
        (
            {"functions": ["chekout"]},
            "functions.0",
            "must name a lambda-function of resources; did you mean checkout",
        ),
        ({"functions": ["orders"]}, "functions.0", "must name a lambda-function of resources"),
        ({"functions": ["cart", "cart"]}, "functions.1", "must be named once"),
        ({"judged_on": ["orders"]}, "judged_on.0", "must name one of deployment.functions"),
        (
            {
                "strategy": {
                    "type": "custom",
                    "percents": [10, 5, 100],
                    "every_seconds": 60,
                    "percent": None,
                    "for_seconds": None,
                }
            },
            "strategy.percents",
            "must rise from entry to entry",
        ),
        (
            {
                "strategy": {
                    "type": "custom",
                    "percents": [10, 50],
                    "every_seconds": 60,
                    "percent": None,
                    "for_seconds": None,
                }
            },
            "strategy.percents",
            "must end with 100",
        ),
        ({"strategy": {"type": "blue-green"}}, "strategy.type", "must be one of"),
        ({"required_settings": ["9LIVES"]}, "required_settings.0", "must be a name as Lambda takes it"),
    ],
)
def test_a_manifest_that_cannot_be_released_says_where_and_why(
    deployment: dict[str, Any], field: str, rule: str
):
    base = {**MANIFEST, **RELEASING, "resources": {**MANIFEST["resources"], **RELEASING["resources"]}}

    with pytest.raises(ManifestError) as error:
        load(base, {"deployment": deployment}, "development")

    assert error.value.field == f"deployment.{field}"
    assert rule in error.value.rule


def test_what_is_protected_is_not_released():
    base = {**MANIFEST, "resources": {**MANIFEST["resources"], **RELEASING["resources"]}}
    base["resources"]["cart"] = {**base["resources"]["cart"], "protected": True}

    with pytest.raises(ManifestError, match="must not be protected"):
        load(base, {"deployment": {"functions": ["cart"]}}, "development")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"artifacts": {"orders": {"bucket": "abc", "key": "k", "sha256": "a" * 64}}}, "artifacts.orders"),
        ({"committed_at": "2026-11-23T11:00:00Z"}, "committed_at"),
        ({"strategy": {"type": "linear", "percent": 5, "every_seconds": 7200}}, "strategy"),
    ],
)
def test_a_request_that_the_manifest_cannot_meet_names_its_field(changes: dict[str, Any], field: str):
    with pytest.raises(BadInputError) as error:
        checked(request(**changes), manifest(), NOW)

    assert error.value.field == field


def test_looks_have_to_fit_into_one_execution():
    eager = manifest(look_seconds=10)
    strategy = {"type": "linear", "percent": 20, "every_seconds": 1800}

    with pytest.raises(BadInputError, match="must need at most 2000 looks"):
        checked(request(strategy=strategy), eager, NOW)


def test_a_release_is_not_judged_until_no_alpha_is_left():
    eager = manifest(look_seconds=10, bake_seconds=1800)

    with pytest.raises(BadInputError, match="must be judged at most 1000 times") as error:
        checked(request(strategy={"type": "all-at-once"}), eager, NOW)

    assert error.value.field == "strategy"
