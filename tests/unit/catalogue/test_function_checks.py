"""What the checks of a Lambda function find, and what they do not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfright.checks import CHECKS
from selfright.domain.catalogue import CheckResult
from selfright.domain.errors import SourceDownError
from selfright.domain.serving import AliasState, ConcurrencyState, Failure, Release
from tests.unit.usecases.failing_shop import A_MINUTE, FailingShop, Shares
from tests.unit.usecases.world import WENT_OFF


def found(shop: FailingShop, check: str, **parameters: Any) -> CheckResult:
    return CHECKS[check](shop, shop.workload.resource("checkout"), parameters)


def shop(crashes: float = 0.0, answers: float = 0.0, *, released: bool = False) -> FailingShop:
    def failing(_: FailingShop) -> Shares:
        return crashes, answers

    return FailingShop(failing, released=released)


# -- who causes the failures


@pytest.mark.parametrize(
    ("crashes", "answers", "causes"),
    [
        (0.0, 0.0, set()),
        (0.3, 0.0, {"crashing"}),
        (0.0, 0.3, {"dependency-failing", "circuit-available"}),
        (0.3, 0.1, {"crashing"}),
        (0.1, 0.3, {"dependency-failing", "circuit-available"}),
        (0.2, 0.2, {"crashing", "dependency-failing", "circuit-available"}),
    ],
)
def test_the_cause_is_who_makes_up_half_of_the_failures(crashes: float, answers: float, causes: set[str]):
    findings = found(shop(crashes, answers), "lambda.errors").findings

    assert {f for f in ("crashing", "dependency-failing", "circuit-available") if findings[f]} == causes


def test_a_dependency_without_a_circuit_is_named_all_the_same():
    broken = shop()
    at = WENT_OFF - timedelta(minutes=1)
    broken.cloudwatch_logs.lines = [
        Failure(at=at, error="SearchError", dependency="search", message="late")
    ] * 9

    result = found(broken, "lambda.errors")

    assert (result.findings["dependency-failing"], result.findings["circuit-available"]) == (True, False)
    assert result.facts["failing_dependency"] == "search"
    assert result.facts["examples"] == ["SearchError: late"]


def test_severe_is_fifteen_minutes_in_a_row_above_ten_percent():
    long, short = shop(0.11), shop(0.11)
    for n in range(10):
        long.lambda_.serve("1", WENT_OFF - timedelta(minutes=20 - n), A_MINUTE, 5)

    assert not found(short, "lambda.errors").findings["severe-for-long"]  # ten minutes so far
    assert found(long, "lambda.errors").findings["severe-for-long"]
    assert found(short, "lambda.errors", severe_minutes=8).findings["severe-for-long"]
    assert not found(long, "lambda.errors", severe_percent=13).findings["severe-for-long"]


@pytest.mark.parametrize(("crashes", "total"), [(1.0, True), (0.95, False)])
def test_a_total_outage_is_one_of_everybody(crashes: float, total: bool):
    assert found(shop(crashes), "lambda.errors").findings["total-outage"] is total


def test_few_requests_say_nothing_about_an_outage():
    quiet = shop()
    quiet.lambda_.served = {}
    for n in range(20):
        quiet.lambda_.serve("1", WENT_OFF - timedelta(minutes=20 - n), 9, 9)

    findings = found(quiet, "lambda.errors").findings

    assert (findings["total-outage"], findings["severe-for-long"]) == (False, False)


@pytest.mark.parametrize(("lines", "suspect"), [(4, False), (5, True)])
def test_a_single_slip_is_no_suspicion(lines: int, suspect: bool):
    broken = shop()
    at = WENT_OFF - timedelta(minutes=1)
    broken.cloudwatch_logs.lines = [Failure(at=at, error="DataCorruptedError", message="order 7")] * lines

    assert found(broken, "lambda.errors").findings["data-suspect"] is suspect


# -- whether the release is to blame


def release_of(broken: FailingShop) -> dict[str, bool]:
    return found(broken, "lambda.release").findings


def test_failures_that_began_with_the_release():
    result = found(shop(0.3, released=True), "lambda.release")

    true = {name for name, value in result.findings.items() if value}
    assert true == {"released-recently", "previous-version-proven", "failing-since-release"}
    assert result.facts["release"]["previous_version"] == "1"
    assert result.facts["release"]["requests"] == {"2": 400, "1": 2400}


def test_answers_with_an_error_are_counted_by_the_version_of_their_log_stream():
    result = found(shop(0.0, 0.2, released=True), "lambda.release")

    assert result.facts["release"]["percent_failed"] == {"2": 20.0, "1": 0.0}
    assert result.findings["failing-since-release"]


def test_a_release_that_fails_no_more_than_usual_is_not_to_blame():
    assert not release_of(shop(0.02, released=True))["failing-since-release"]
    assert release_of(shop(0.05, released=True))["failing-since-release"]


def test_the_version_before_is_the_one_that_served_not_the_next_lower_number():
    """Version 2 was rolled back an hour ago; version 3 is the release in question."""
    broken = shop(0.3, released=True)
    broken.lambda_.published.append(Release(version="3", published_at=WENT_OFF - timedelta(minutes=10)))
    broken.lambda_.published[1] = Release(version="2", published_at=WENT_OFF - timedelta(minutes=90))
    broken.lambda_.served["3"] = broken.lambda_.served.pop("2")
    broken.lambda_.serve("2", WENT_OFF - timedelta(minutes=69), A_MINUTE, A_MINUTE)
    broken.lambda_.now = AliasState(version="3", revision="r3")

    result = found(broken, "lambda.release")

    assert result.facts["release"]["previous_version"] == "1"
    assert result.findings["previous-version-proven"]


@pytest.mark.parametrize(("requests", "proven"), [(58, False), (59, True)])
def test_a_version_is_proven_by_enough_good_requests(requests: int, proven: bool):
    broken = shop(0.3, released=True)
    del broken.lambda_.served["1"]
    broken.lambda_.serve("1", WENT_OFF - timedelta(minutes=20), requests)

    assert release_of(broken)["previous-version-proven"] is proven


def test_without_an_earlier_version_there_is_nothing_to_go_back_to():
    first = shop(0.3)
    first.lambda_.published = [Release(version="1", published_at=WENT_OFF - timedelta(minutes=30))]

    findings = release_of(first)

    assert findings["released-recently"]
    assert not findings["previous-version-proven"]


def test_an_alias_at_latest_has_no_release():
    broken = shop(0.3, released=True)
    broken.lambda_.now = AliasState(version="$LATEST", revision="r")

    assert not release_of(broken)["released-recently"]


def test_a_change_that_nobody_has_published_is_told():
    broken = shop(0.3, released=True)
    broken.lambda_.now = AliasState(version="1", revision="r")  # version 2 is newer, and so is the function

    assert release_of(broken)["change-not-live"]


def test_more_failures_than_can_be_read_are_not_compared():
    flooded = shop(0.3, released=True)
    flooded.cloudwatch_logs.complete = False

    with pytest.raises(SourceDownError):
        found(flooded, "lambda.release")


# -- quotas


@pytest.mark.parametrize(
    ("limits", "true"),
    [
        (
            ConcurrencyState(reserved=5, account_limit=1000, account_unreserved=900),
            {"refused-by-own-limit", "concurrency-raisable"},
        ),
        (ConcurrencyState(reserved=20, account_limit=1000, account_unreserved=900), {"refused-by-own-limit"}),
        (ConcurrencyState(reserved=5, account_limit=105, account_unreserved=100), {"refused-by-own-limit"}),
        (ConcurrencyState(account_limit=1000, account_unreserved=900), {"account-limit-reached"}),
    ],
)
def test_whose_limit_refuses(limits: ConcurrencyState, true: set[str]):
    full = shop()
    full.lambda_.limits = limits
    full.lambda_.serve("1", WENT_OFF - timedelta(minutes=2), A_MINUTE, refused=20)

    findings = found(full, "lambda.quotas").findings

    assert {name for name, value in findings.items() if value} == true


def test_a_handful_of_refusals_is_the_edge_of_a_burst():
    bursting = shop()
    bursting.lambda_.serve("1", WENT_OFF - timedelta(minutes=2), A_MINUTE, refused=4)  # of 400

    assert not found(bursting, "lambda.quotas").findings["refused-by-own-limit"]
