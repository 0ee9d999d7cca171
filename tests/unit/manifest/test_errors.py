"""A bad manifest names file, field and rule, in words for people."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfright.domain.errors import ManifestError
from selfright.domain.manifest import load, manifest_schema
from selfright.domain.manifest.section import PATTERN_RULES


def error_of(base: dict[str, Any], overlay: dict[str, Any]) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        load(base, overlay, "staging")
    return caught.value


WINDOW = {"name": "release", "days": ["monday"], "from": "20:00", "to": "22:00"}
SLACK = {"type": "slack", "secret": "shop/slack"}


@pytest.mark.parametrize(
    ("overlay", "field", "rule"),
    [
        ({"limts": {}}, "limts", "is not a known field; did you mean limits?"),
        (
            {"limits": {"atempts": 3}},
            "limits.atempts",
            "is not a known field; did you mean attempts?",
        ),
        (
            {"resources": {"orders": {"capacity": {"min": 3}}}},
            "resources.orders.capacity.min",
            "is not a known field; known are max_units, min_units, on_demand_allowed, target_utilisation",
        ),
        (
            {"escalation": {"levels": [{"leval": 1}]}},
            "escalation.levels.0.leval",
            "is not a known field; did you mean level?",
        ),
        (
            {"settings": {"bedrock": {"retry": 1, "requests_per_minute": 1}}},
            "settings.bedrock.retry",
            "is not a known field; did you mean retries?",
        ),
        (
            {"notifications": {"channels": {"chat": {"type": "slack", "sekret": "x"}}}},
            "notifications.channels.chat.sekret",
            "is not a known field; did you mean secret?",
        ),
        ({"owner": None}, "owner", "is required"),
        ({"owner": 5}, "owner", "must be text (is 5)"),
        ({"owner": " "}, "owner", "must not be empty (is ' ')"),
        ({"limits": {"attempts": "3"}}, "limits.attempts", "must be a whole number (is '3')"),
        ({"limits": {"attempts": 2.5}}, "limits.attempts", "must be a whole number (is 2.5)"),
        ({"limits": {"attempts": True}}, "limits.attempts", "must be a whole number (is True)"),
        ({"limits": {"attempts": 0}}, "limits.attempts", "must be at least 1 (is 0)"),
        ({"limits": {"unhealthy_share": 1.5}}, "limits.unhealthy_share", "must be at most 1 (is 1.5)"),
        ({"limits": {"unhealthy_share": 0}}, "limits.unhealthy_share", "must be more than 0 (is 0)"),
        ({"limits": {"unhealthy_share": "40%"}}, "limits.unhealthy_share", "must be a number (is '40%')"),
        (
            {"limits": {"max_increase_factor": float("inf")}},
            "limits.max_increase_factor",
            "must be a finite number (is inf)",
        ),
        ({"limits": 5}, "limits", "must be a mapping of fields to values (is 5)"),
        ({"resources": [1]}, "resources", "must be a mapping of names to values"),
        ({"guards": "checkout-errors"}, "guards", "must be a list (is 'checkout-errors')"),
        ({"flags": {"dark_mode": 1}}, "flags.dark_mode", "must be true or false (is 1)"),
        (
            {"flags": {"dark-mode": True}},
            "flags.dark-mode",
            "must be at most 63 small letters, digits or underscores and start with a letter (is 'dark-mode')",
        ),
        (
            {"autonomy": {"default": "full"}},
            "autonomy.default",
            "must be observe, suggest, approve or auto (is 'full')",
        ),
        (
            {"resources": {"orders": {"type": "table"}}},
            "resources.orders.type",
            "must be one of dynamodb-table, lambda-function, s3-bucket, state-machine, event-bus, sqs-queue, sns-topic",
        ),
        ({"resources": {"new": {"name": "x"}}}, "resources.new.type", "is required"),
        (
            {"resources": {"orders": {"dynamodb-table": 1}}},
            "resources.orders.dynamodb-table",
            "is not a known field; known are capacity, name, protected, type",
        ),
        (
            {"resources": {"orders": {"name": "{stage}-orders"}}},
            "resources.orders.name",
            "has an unknown placeholder; known are {workload}, {environment} (is '{stage}-orders')",
        ),
        (
            {"resources": {"orders": {"name": "a name"}}},
            "resources.orders.name",
            "must be a name as AWS knows it: 1 to 255 letters, digits and . _ - / (is 'a name')",
        ),
        ({"account": 123456789012}, "account", "must be text (is 123456789012)"),
        ({"account": "12"}, "account", "must be the 12 digits of an AWS account, in quotes (is '12')"),
        ({"regions": ["Europe"]}, "regions.0", "must be an AWS region such as eu-central-1 (is 'Europe')"),
        (
            {"windows": {"maintenance": [WINDOW | {"from": "8pm"}]}},
            "windows.maintenance.0.from",
            "must be a time of day as HH:MM, from 00:00 to 23:59 (is '8pm')",
        ),
        (
            {"windows": {"maintenance": [WINDOW | {"days": []}]}},
            "windows.maintenance.0.days",
            "must have at least 1 entry",
        ),
        (
            {"windows": {"maintenance": [WINDOW | {"timezone": "Europe"}]}},
            "windows.maintenance.0.timezone",
            "must be a time zone of the IANA database, such as Europe/Berlin or UTC (is 'Europe')",
        ),
        (
            {"windows": {"freezes": [{"name": "x", "from": "2026-12-20", "to": "2026-12-21T00:00Z"}]}},
            "windows.freezes.0.from",
            "must be a moment with its offset from UTC, such as 2026-12-20T18:00:00+01:00 (is '2026-12-20')",
        ),
        (
            {"windows": {"freezes": [{"name": "x", "from": 20261220, "to": "2026-12-21T00:00Z"}]}},
            "windows.freezes.0.from",
            "must be a moment with its offset from UTC, such as 2026-12-20T18:00:00+01:00 (is 20261220)",
        ),
        (
            {"windows": {"freezes": [{"name": "x", "from": "2026-12-20T00:00Z", "to": "2026-12-32T00:00Z"}]}},
            "windows.freezes.0.to",
            "must be a moment with its offset from UTC, such as 2026-12-20T18:00:00+01:00 (is '2026-12-32T00:00Z')",
        ),
    ],
)
def test_a_value_of_the_wrong_kind(smallest: dict[str, Any], overlay: dict[str, Any], field: str, rule: str):
    error = error_of(smallest, overlay)

    assert (error.file, error.field, error.rule) == ("staging.yaml", field, rule)


@pytest.mark.parametrize(
    ("overlay", "field", "rule"),
    [
        (
            {"alarms": {"orders-throttled": {"resource": "order"}}},
            "alarms.orders-throttled.resource",
            "must name one of resources; did you mean orders?",
        ),
        (
            {"guards": ["latency"]},
            "guards.0",
            "must name one of alarms; known are checkout-errors, orders-throttled",
        ),
        (
            {"resources": {"copy": {"type": "dynamodb-table", "name": "shop-staging-orders"}}},
            "resources.copy.name",
            "must be unique, but resources.orders is shop-staging-orders too",
        ),
        (
            {"alarms": {"checkout-errors": {"name": "shop-staging-orders-throttled"}}},
            "alarms.checkout-errors.name",
            "must be unique, but alarms.orders-throttled is shop-staging-orders-throttled too",
        ),
        (
            {
                "escalation": {
                    "levels": [{"level": 2, "who": "x", "answer_within_minutes": 5, "channels": ["chat"]}]
                }
            },
            "escalation.levels.0.level",
            "must be 1: levels are listed in order, without a gap",
        ),
        (
            {
                "notifications": {"channels": {"chat": SLACK}},
                "escalation": {
                    "levels": [
                        {"level": 1, "who": "x", "answer_within_minutes": 15, "channels": ["chat"]},
                        {"level": 2, "who": "y", "answer_within_minutes": 10, "channels": ["chat"]},
                    ]
                },
            },
            "escalation.levels.1.answer_within_minutes",
            "must be at least that of the level before (15)",
        ),
        (
            {
                "notifications": {"channels": {"chat": SLACK}},
                "escalation": {
                    "levels": [
                        {"level": 1, "who": "x", "answer_within_minutes": 15, "channels": ["chat", "chats"]}
                    ]
                },
            },
            "escalation.levels.0.channels.1",
            "must name one of notifications.channels; did you mean chat?",
        ),
        (
            {"limits": {"actions_per_hour": 9, "actions_per_day": 8}},
            "limits.actions_per_day",
            "must be at least actions_per_hour (9)",
        ),
        (
            {"verification": {"settle_seconds": 900}},
            "verification.settle_seconds",
            "must be less than verify_within_seconds (900)",
        ),
        (
            {"verification": {"verify_within_seconds": 1000}},
            "verification.verify_within_seconds",
            "must be at most limits.lease_seconds (900)",
        ),
        (
            {
                "windows": {
                    "freezes": [
                        {"name": "x", "from": "2026-12-21T00:00+01:00", "to": "2026-12-20T23:00:00Z"}
                    ],
                }
            },
            "windows.freezes.0.to",
            "must be more than from (2026-12-21 00:00:00+01:00)",
        ),
    ],
)
def test_values_that_contradict_each_other(
    smallest: dict[str, Any], overlay: dict[str, Any], field: str, rule: str
):
    error = error_of(smallest, overlay)

    assert (error.file, error.field, error.rule) == ("staging.yaml", field, rule)


def test_of_two_values_that_contradict_each_other_the_one_that_the_overlay_set_is_named(
    smallest: dict[str, Any],
):
    with_bounds = smallest | {"limits": {"actions_per_hour": 4, "actions_per_day": 12}}

    assert error_of(with_bounds, {"limits": {"actions_per_hour": 20}}).field == "limits.actions_per_hour"
    assert error_of(with_bounds, {"limits": {"actions_per_day": 2}}).field == "limits.actions_per_day"


def test_a_value_of_the_base_is_the_bases_fault(smallest: dict[str, Any]):
    smallest["alarms"]["checkout-errors"]["severity"] = "urgent"

    error = error_of(smallest, {"alarms": {"checkout-errors": {"symptom": "latency"}}})

    assert (error.file, error.field) == ("base.yaml", "alarms.checkout-errors.severity")


def test_what_the_overlay_leaves_incomplete_is_the_overlays_fault(smallest: dict[str, Any]):
    error = error_of(
        smallest, {"alarms": {"new": {"name": "shop-new", "resource": "orders", "symptom": "cost"}}}
    )

    assert (error.file, error.field, error.rule) == ("staging.yaml", "alarms.new.severity", "is required")


@pytest.mark.parametrize(("base", "overlay"), [("production", None), (None, "production")])
def test_a_file_cannot_claim_another_environment(
    smallest: dict[str, Any], base: str | None, overlay: str | None
):
    error = error_of(
        smallest | ({"environment": base} if base else {}), {"environment": overlay} if overlay else {}
    )

    assert error.file == ("base.yaml" if base else "staging.yaml")
    assert error.field == "environment"
    assert error.rule == "must be staging, as the overlay's name says, or left out"


def test_every_pattern_is_explained_in_words():
    def patterns(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["pattern"]} if isinstance(node.get("pattern"), str) else set()
            return own.union(node.get("patternProperties", ()), *map(patterns, node.values()))
        return set().union(*map(patterns, node)) if isinstance(node, list) else set()

    assert patterns(manifest_schema()) == set(PATTERN_RULES)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "name", "slack", "from", "[key]", "a.b", ""]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
sections = st.sampled_from([*manifest_schema()["properties"], "type", "[key]"])


@settings(deadline=None)
@given(
    st.dictionaries(
        sections, plain | st.dictionaries(st.sampled_from(["orders", "type", "a"]), plain), max_size=3
    )
)
def test_whatever_an_overlay_holds_only_a_manifest_error_comes_of_it(overlay: dict[str, Any]):
    base = {
        "workload": "shop",
        "description": "x",
        "owner": "x",
        "resources": {"orders": {"type": "dynamodb-table", "name": "orders"}},
    }
    try:
        load(base, overlay, "staging")
    except ManifestError as error:
        caught = error
    else:
        return
    assert caught.file in {"base.yaml", "staging.yaml"}
    assert caught.rule
