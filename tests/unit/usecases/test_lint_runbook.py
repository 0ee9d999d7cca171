"""What is wrong with a runbook is said with its field."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.actions import ACTIONS
from selfright.checks import CHECKS
from selfright.domain.runbook import parse_runbook
from selfright.usecases.lint_runbook import lint_runbook
from tests.unit.domain.test_runbook import small


def linted(**changes: Any) -> list[str]:
    sound: dict[str, Any] = {
        "checks": [{"use": "dynamodb.table"}, {"use": "dynamodb.throttling", "parameters": {"minutes": 5}}],
        "escalate_when": [{"finding": "hot-partition", "say": "Spread the key."}],
        "remedies": [
            {
                "id": "raise",
                "title": "Raise",
                "when": ["throttled-by-provisioned-capacity"],
                "unless": ["table-busy"],
                "use": "dynamodb.raise_capacity",
            }
        ],
    }
    return lint_runbook(parse_runbook("small.yaml", small(**{**sound, **changes})), CHECKS, ACTIONS)


def remedy(**changes: Any) -> dict[str, Any]:
    return {
        "id": "raise",
        "title": "Raise",
        "when": ["table-busy"],
        "use": "dynamodb.raise_capacity",
        **changes,
    }


TABLE_CHECK = {"use": "dynamodb.table"}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"checks": [TABLE_CHECK, {"use": "dynamodb.throtling"}], "remedies": [], "escalate_when": []},
            "checks.1.use: there is no check dynamodb.throtling",
        ),
        (
            {"remedies": [remedy(use="dynamodb.raise_capasity")]},
            "remedies.0.use: there is no action dynamodb.raise_capasity",
        ),
        (
            {"remedies": [remedy(when=["table-bussy"])]},
            "remedies.0.when: no check of the runbook finds table-bussy",
        ),
        (
            # Declared, but by a check that this runbook does not run
            {"remedies": [remedy(unless=["autoscaled"])]},
            "remedies.0.unless: no check of the runbook finds autoscaled",
        ),
        (
            {"escalate_when": [{"finding": "latency-high", "say": "Slow."}]},
            "escalate_when.0.finding: no check of the runbook finds latency-high",
        ),
        (
            {"checks": [{"use": "dynamodb.throttling", "parameters": {"minutes": 0}}], "remedies": []},
            "checks.0.parameters.minutes: Input should be greater than or equal to 3",
        ),
        (
            {"remedies": [remedy(parameters={"units": 5})]},
            "remedies.0.parameters.units: Extra inputs are not permitted",
        ),
        (
            {"remedies": [remedy(), remedy()]},
            "remedies: id raise must be used once",
        ),
        (
            {"checks": [TABLE_CHECK, TABLE_CHECK], "escalate_when": [], "remedies": []},
            "checks: use dynamodb.table must be used once",
        ),
        (
            {"remedies": [remedy(unless=["table-busy"])]},
            "remedies.0: table-busy stands in when and in unless, so it never fits",
        ),
    ],
)
def test_what_is_wrong_with_a_runbook_is_said_with_its_field(changes: dict[str, Any], problem: str):
    assert linted() == []
    assert linted(**changes) == [problem]


def test_a_check_or_action_that_does_not_fit_the_kind_of_resource_is_named():
    matches = {"resource_types": ["dynamodb-table", "sqs-queue"], "symptoms": ["throttling"]}

    assert linted(matches=matches) == [
        "checks.0.use: dynamodb.table is not made for a sqs-queue",
        "checks.1.use: dynamodb.throttling is not made for a sqs-queue",
        "remedies.0.use: dynamodb.raise_capacity is not made for a sqs-queue",
    ]
