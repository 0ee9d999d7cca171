from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from sandbox.workload.functions.opportunity_analysis.errors import ConfigurationError
from sandbox.workload.functions.opportunity_analysis.orchestrate import handler

from .conftest import CONTEXT, OPPORTUNITY, FakeAws, refusal

Emitted = Callable[[], list[dict[str, Any]]]
REQUEST = {"session_id": "session-1", "opportunity": OPPORTUNITY}


def test_an_analysis_is_answered_stored_and_counted(fake: FakeAws, emitted: Emitted):
    answer = handler(REQUEST, CONTEXT)

    assert (answer["statusCode"], answer["cached"]) == (200, False)
    (item,) = fake.items
    assert item["analysis_id"]["S"] == answer["analysis_id"]
    assert item["report"]["M"]["total"]["N"] == str(answer["total"])
    assert fake.sessions[0]["Key"] == {"session_id": {"S": "session-1"}}
    assert fake.events == []
    (line,) = emitted()
    assert (line["Requests"], line["FailedRequests"], line["CacheHitRate"]) == (1, 0, 0.0)
    assert {"QueryGenerationTime", "DataRetrievalTime", "AnalysisTime", "EndToEndTime"} <= line.keys()


def test_metrics_are_in_the_embedded_metric_format(fake: FakeAws, emitted: Emitted):
    handler(REQUEST, CONTEXT)

    (line,) = emitted()
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "OpportunityAnalysis"
    assert directive["Dimensions"] == [["Environment"]]
    assert line["Environment"] == "development"
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units["AnalysisTime"] == "Milliseconds"
    assert all(isinstance(line[name], int | float) for name in units)


@pytest.mark.parametrize(
    ("failing", "error", "throttled"),
    [
        (("converse", refusal("ModelErrorException")), "ModelUnavailableError", False),
        (("start_query_execution", refusal("InternalServerException")), "RetrievalFailedError", False),
        (("put_item", refusal("ProvisionedThroughputExceededException")), "ResultNotStoredError", True),
        (("put_item", refusal("ValidationException")), "ResultNotStoredError", False),
        (("put_item", EndpointConnectionError(endpoint_url="http://x")), "ResultNotStoredError", False),
    ],
)
def test_a_dependency_that_fails_is_a_503_that_names_it(
    fake: FakeAws, emitted: Emitted, failing: tuple[str, Exception], error: str, throttled: bool
):
    fake.failing = dict([failing])

    answer = handler(REQUEST, CONTEXT)

    assert (answer["statusCode"], answer["error"], answer["throttled"]) == (503, error, throttled)
    assert fake.items == []
    log, metrics = emitted()
    assert (log["level"], log["error"]) == ("ERROR", error)
    assert (metrics["Requests"], metrics["FailedRequests"], metrics["status"]) == (1, 1, 503)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"opportunity": None}, "opportunity:"),
        ({"opportunity": {**OPPORTUNITY, "agency": ""}}, "opportunity.agency:"),
        ({"opportunity": {**OPPORTUNITY, "title": "x" * 1001}}, "opportunity.title:"),
        ({"opportunity": {**OPPORTUNITY, "ceiling": -1}}, "opportunity.ceiling:"),
        ({"session_id": 7}, "session_id:"),
    ],
)
def test_a_callers_mistake_is_a_400_and_not_our_failure(
    fake: FakeAws, emitted: Emitted, change: dict[str, Any], field: str
):
    answer = handler({**REQUEST, **change}, CONTEXT)

    assert answer["statusCode"] == 400
    assert answer["message"].startswith(field)
    (metrics,) = emitted()
    assert metrics["FailedRequests"] == 0


@pytest.mark.parametrize(
    ("tier", "checks"),
    [("liveness", {}), ("readiness", {"settings": "ok"}), ("deep", {"settings": "ok", "results": "ok"})],
)
def test_each_tier_of_health_asks_about_more_and_is_no_request(
    fake: FakeAws, emitted: Emitted, tier: str, checks: dict[str, str]
):
    assert handler({"health": tier}, CONTEXT) == {"statusCode": 200, "health": tier, "checks": checks}
    assert (emitted(), fake.items, fake.asked) == ([], [], [])


def test_what_is_not_healthy_is_a_503_that_names_it(fake: FakeAws):
    fake.failing = {"query": refusal("ResourceNotFoundException")}

    assert handler({"health": "liveness"}, CONTEXT)["statusCode"] == 200
    answer = handler({"health": "deep"}, CONTEXT)

    assert answer["statusCode"] == 503
    assert answer["checks"] == {"settings": "ok", "results": "ClientError"}
    fake.settings["cache_ttl_seconds"] = "1h"  # the table's name is a setting, too
    assert set(handler({"health": "deep"}, CONTEXT)["checks"].values()) == {"ConfigurationError"}


def test_an_invalid_setting_crashes_so_that_lambda_counts_it(fake: FakeAws):
    fake.settings["cache_ttl_seconds"] = "1h"

    with pytest.raises(ConfigurationError, match=r"settings\.cache_ttl_seconds: .* is '1h'"):
        handler(REQUEST, CONTEXT)


def test_with_caching_on_the_same_question_is_not_paid_for_twice(fake: FakeAws, emitted: Emitted):
    fake.settings["caching"] = True
    first = handler(REQUEST, CONTEXT)

    second = handler(REQUEST, CONTEXT)

    assert second == {**first, "cached": True}
    assert (len(fake.items), len(fake.queries), len(fake.sessions)) == (1, 1, 2)
    assert [line["CacheHitRate"] for line in emitted()] == [0.0, 100.0]


def test_a_cached_result_of_a_changed_opportunity_is_not_used(fake: FakeAws):
    fake.settings["caching"] = True
    handler(REQUEST, CONTEXT)

    answer = handler({**REQUEST, "opportunity": {**OPPORTUNITY, "ceiling": 90_000_000}}, CONTEXT)

    assert answer["cached"] is False
    assert len(fake.items) == 2


def test_the_fallback_model_is_asked_instead_while_it_is_switched_on(fake: FakeAws):
    handler(REQUEST, CONTEXT)
    fake.flags["use_fallback_model"] = True
    handler(REQUEST, CONTEXT)

    assert [asked["modelId"] for asked in fake.asked] == ["small", "large", "spare", "spare"]


def test_a_follow_on_is_asked_for_on_the_bus(fake: FakeAws):
    answer = handler({**REQUEST, "follow_on": True}, CONTEXT)

    (event,) = fake.events
    assert (event["Source"], event["DetailType"]) == ("opportunity-analysis", "FollowOnRequested")
    assert answer["analysis_id"] in event["Detail"]


def test_a_result_takes_five_write_units_however_much_the_model_says(fake: FakeAws):
    for fake.model_says in ("Bid.", "x" * 5000):
        handler(REQUEST, CONTEXT)

    sizes = [item_bytes({"M": item}) for item in fake.items]
    assert all(4 * 1024 < size <= 5 * 1024 for size in sizes), sizes


def item_bytes(value: dict[str, Any]) -> int:
    """As DynamoDB counts: names and texts in UTF-8, numbers at half a byte a digit, 3 + 1 bytes around elements."""
    ((kind, content),) = value.items()
    if kind == "M":
        return 3 + sum(len(name) + item_bytes(inner) + 1 for name, inner in content.items())
    if kind == "L":
        return 3 + sum(item_bytes(inner) + 1 for inner in content)
    return len(content) // 2 + 2 if kind == "N" else len(content.encode())
