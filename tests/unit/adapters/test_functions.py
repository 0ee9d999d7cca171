"""Lambda functions as AWS tells of them, and the calls that change them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selfright.adapters.functions import LambdaFunctions
from selfright.domain.errors import BusyError, NotFoundError, RefusedError, SourceDownError
from selfright.domain.serving import AliasState, ConcurrencyState, FunctionState, Release, Tally
from tests.unit.adapters.conftest import Stubbed

NAME = "shop-checkout"
NOW = datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC)


@pytest.fixture
def functions(stubbed: Stubbed) -> LambdaFunctions:
    return LambdaFunctions(stubbed.aws)


def test_an_alias_with_and_without_a_deployment_under_way(stubbed: Stubbed, functions: LambdaFunctions):
    plain = {"FunctionVersion": "7", "RevisionId": "r1"}
    split = {**plain, "RoutingConfig": {"AdditionalVersionWeights": {"8": 0.1}}}
    for answer in (plain, split):
        stubbed.answer("lambda", "get_alias", answer, FunctionName=NAME, Name="live")

    assert functions.alias(NAME, "live") == AliasState(version="7", revision="r1")
    assert functions.alias(NAME, "live").weights == {"8": 0.1}


def test_the_moments_of_lambda_are_utc(stubbed: Stubbed, functions: LambdaFunctions):
    stubbed.answer(
        "lambda",
        "get_function_configuration",
        {"LastModified": "2026-11-23T09:00:00.000+0000", "LastUpdateStatus": "InProgress"},
        FunctionName=NAME,
    )

    assert functions.state(NAME) == FunctionState(changed_at=datetime(2026, 11, 23, 9, tzinfo=UTC), busy=True)


def test_releases_are_the_published_versions_newest_first_by_number(
    stubbed: Stubbed, functions: LambdaFunctions
):
    at = "2026-11-23T09:00:00.000+0000"
    pages: list[dict[str, Any]] = [
        {"Versions": [{"Version": v, "LastModified": at} for v in ("$LATEST", "2", "9")], "NextMarker": "m"},
        {"Versions": [{"Version": "10", "LastModified": at}]},
    ]
    for page in pages:
        stubbed.answer("lambda", "list_versions_by_function", page)

    published = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert functions.releases(NAME) == [Release(version=v, published_at=published) for v in ("10", "9", "2")]


def test_requests_are_told_by_executed_version_in_whole_minutes(stubbed: Stubbed, functions: LambdaFunctions):
    minute = NOW.replace(second=0)

    def query(part: str, number: int, metric: str, version: str) -> dict[str, Any]:
        dimensions = {"FunctionName": NAME, "Resource": f"{NAME}:live", "ExecutedVersion": version}
        return {
            "Id": f"{part}_{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": metric,
                    "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        }

    metrics = (("invocations", "Invocations"), ("crashes", "Errors"), ("refused", "Throttles"))
    stubbed.answer(
        "cloudwatch",
        "get_metric_data",
        {"MetricDataResults": [{"Id": "crashes_1", "Timestamps": [minute], "Values": [3.0]}]},
        MetricDataQueries=[query(p, n, m, v) for n, v in enumerate(("8", "7")) for p, m in metrics],
        StartTime=minute - timedelta(minutes=5),
        EndTime=NOW,
    )

    found = functions.tallies(NAME, "live", ["8", "7"], NOW - timedelta(minutes=5), NOW)

    assert found == {"8": Tally(), "7": Tally(crashes={minute.timestamp(): 3.0})}


def test_durations_are_means_by_executed_version(stubbed: Stubbed, functions: LambdaFunctions):
    minute = NOW.replace(second=0)
    dimensions = {"FunctionName": NAME, "Resource": f"{NAME}:live", "ExecutedVersion": "8"}
    query = {
        "Id": "duration_0",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Lambda",
                "MetricName": "Duration",
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
            },
            "Period": 60,
            "Stat": "Average",
        },
    }
    stubbed.answer(
        "cloudwatch",
        "get_metric_data",
        {"MetricDataResults": [{"Id": "duration_0", "Timestamps": [minute], "Values": [21.5]}]},
        MetricDataQueries=[query],
        StartTime=minute,
        EndTime=NOW,
    )

    assert functions.durations(NAME, "live", ["8"], NOW, NOW) == {"8": {minute.timestamp(): 21.5}}


def test_no_versions_ask_for_nothing(functions: LambdaFunctions):
    assert functions.tallies(NAME, "live", [], NOW, NOW) == {}


@pytest.mark.parametrize(("answer", "reserved"), [({}, None), ({"ReservedConcurrentExecutions": 5}, 5)])
def test_concurrency_of_function_and_account(
    stubbed: Stubbed, functions: LambdaFunctions, answer: dict[str, Any], reserved: int | None
):
    stubbed.answer("lambda", "get_function_concurrency", answer, FunctionName=NAME)
    limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}
    stubbed.answer("lambda", "get_account_settings", {"AccountLimit": limit})

    assert functions.concurrency(NAME) == ConcurrencyState(
        reserved=reserved, account_limit=1000, account_unreserved=900
    )


def test_an_alias_is_pointed_at_one_version_if_nobody_was_faster(
    stubbed: Stubbed, functions: LambdaFunctions
):
    stubbed.answer(
        "lambda",
        "update_alias",
        {},
        FunctionName=NAME,
        Name="live",
        FunctionVersion="7",
        RoutingConfig={"AdditionalVersionWeights": {}},
        RevisionId="r1",
    )
    stubbed.refuse("lambda", "update_alias", "PreconditionFailedException")

    functions.point(NAME, "live", "7", "r1")
    with pytest.raises(BusyError):
        functions.point(NAME, "live", "7", "r1")


def test_concurrency_is_reserved_and_given_back(stubbed: Stubbed, functions: LambdaFunctions):
    stubbed.answer(
        "lambda", "put_function_concurrency", {}, FunctionName=NAME, ReservedConcurrentExecutions=10
    )
    stubbed.answer("lambda", "delete_function_concurrency", {}, FunctionName=NAME)

    functions.reserve(NAME, 10)
    functions.reserve(NAME, None)


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("InvalidParameterValueException", RefusedError),  # fewer than 100 would stay unreserved
        ("AccessDeniedException", RefusedError),
        ("ResourceConflictException", BusyError),
        ("ResourceNotFoundException", NotFoundError),
        ("ServiceException", SourceDownError),
    ],
)
def test_what_lambda_answers_to_a_change(
    stubbed: Stubbed, functions: LambdaFunctions, code: str, ours: type[Exception]
):
    stubbed.refuse("lambda", "put_function_concurrency", code)

    with pytest.raises(ours):
        functions.reserve(NAME, 10)


def test_p95_is_one_number_for_the_whole_span_by_executed_version(
    stubbed: Stubbed, functions: LambdaFunctions
):
    minute = NOW.replace(second=0)

    def query(number: int, version: str) -> dict[str, Any]:
        dimensions = {"FunctionName": NAME, "Resource": f"{NAME}:live", "ExecutedVersion": version}
        metric = {
            "Namespace": "AWS/Lambda",
            "MetricName": "Duration",
            "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
        }
        return {
            "Id": f"p95_{number}",
            "MetricStat": {"Metric": metric, "Period": 300, "Stat": "p95"},
        }

    stubbed.answer(
        "cloudwatch",
        "get_metric_data",
        {
            "MetricDataResults": [
                {"Id": "p95_0", "Timestamps": [minute], "Values": [812.5], "StatusCode": "Complete"},
                {"Id": "p95_1", "Timestamps": [], "Values": [], "StatusCode": "Complete"},
            ]
        },
        MetricDataQueries=[query(0, "7"), query(1, "8")],
        StartTime=minute,
        EndTime=minute + timedelta(minutes=5),
    )

    assert functions.p95(NAME, "live", ["7", "8"], NOW, minute + timedelta(minutes=5)) == {"7": 812.5}
