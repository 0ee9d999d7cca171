"""The five metrics, from releases as the ledger keeps them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import report
from selfright.domain.release import LogLine, Milestone, Release, ReleaseStatus, Rung, StopReason
from selfright.domain.release.dora import dora, figures
from tests.fakes.releases import MemoryReleaseLedger
from tests.unit.usecases.release_world import CHECKOUT, ReleaseWorld, request

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
WEEK = timedelta(days=7)
WHOLE = Rung(percent=100, seconds=300)
QUARTER = Rung(percent=25, seconds=600)


def release(
    name: str, days_ago: float, status: ReleaseStatus = ReleaseStatus.COMPLETED, **more: Any
) -> Release:
    """Committed two hours before its first requests; all requests ten minutes after them."""
    shifted = NOW - timedelta(days=days_ago)
    asked = request(release_id=name, committed_at=shifted - timedelta(hours=2))
    return Release(
        request=asked,
        requested_at=shifted - timedelta(minutes=5),
        status=status,
        rungs=(QUARTER, WHOLE),
        shifts=(shifted, shifted + timedelta(minutes=10)),
        closed_at=shifted + timedelta(minutes=15),
    ).but(**more)


def taken_back(name: str, days_ago: float, seconds: float | None = 90, **more: Any) -> Release:
    """Its first requests showed that it is bad."""
    shifted = NOW - timedelta(days=days_ago)
    status = ReleaseStatus.ROLLED_BACK if seconds is not None else ReleaseStatus.ROLLBACK_FAILED
    return release(
        name,
        days_ago,
        status,
        shifts=(shifted,),
        stop=StopReason.WORSE_THAN_BEFORE,
        evidence_at=shifted + timedelta(minutes=1),
        restored_at=None if seconds is None else shifted + timedelta(minutes=1, seconds=seconds),
        **more,
    )


def test_the_five_metrics_of_a_week():
    found = dora(
        [
            release("one", 6),
            taken_back("two", 5, seconds=60),
            release("two-again", 4.9),
            taken_back("three", 3, seconds=120),
            taken_back("three-again", 2, seconds=None),
            release("four", 1),
            release("five", 0.5),
        ],
        NOW - WEEK,
        NOW,
    )

    assert (found.deployments, found.completed, found.failed, found.not_recovered) == (7, 4, 3, 1)
    assert found.deployment_frequency == 1.0  # a day
    assert found.change_lead_time == timedelta(hours=2, minutes=10)
    assert found.change_fail_rate == pytest.approx(3 / 7)
    assert found.failed_deployment_recovery_time == timedelta(seconds=90)
    # what came straight after a failed one: two-again, three-again and four
    assert found.reworked == 3
    assert found.deployment_rework_rate == pytest.approx(3 / 7)


def test_what_no_user_saw_is_no_deployment():
    unseen = [
        release("refused", 1, ReleaseStatus.REFUSED, shifts=()),
        release("on-its-way", 1, ReleaseStatus.RUNNING),
        release("never-shifted", 1, ReleaseStatus.ROLLED_BACK, shifts=()),
        release("long-ago", 8),
    ]

    found = dora(unseen, NOW - WEEK, NOW)

    assert (found.deployments, found.deployment_frequency) == (0, 0.0)
    assert found.change_lead_time is None
    assert found.change_fail_rate is None
    assert found.failed_deployment_recovery_time is None
    assert found.deployment_rework_rate is None


def test_rework_is_told_from_a_failure_before_the_span_and_from_a_red_alarm():
    found = dora(
        [
            taken_back("bad", 7.5),
            release("mended", 6),
            release("urgent", 3, red_before=("checkout-errors",)),
            release("planned", 2),
        ],
        NOW - WEEK,
        NOW,
    )

    assert (found.deployments, found.reworked, found.failed) == (3, 2, 0)


def test_a_release_that_an_incident_took_back_later_has_no_lead_time_and_has_failed():
    once = release("good", 2)
    later = once.but(
        status=ReleaseStatus.ROLLED_BACK,
        stop=StopReason.INCIDENT,
        evidence_at=once.shifts[-1] + timedelta(hours=1),
        restored_at=once.shifts[-1] + timedelta(hours=1, seconds=8),
    )

    found = dora([later], NOW - WEEK, NOW)

    assert (found.failed, found.change_lead_time) == (1, None)
    assert found.failed_deployment_recovery_time == timedelta(seconds=8)
    # ... and at its second end it is not counted as a deployment again
    assert figures(once, None, again=False) == {"Deployments": 1, "DeploymentsReworked": 0, "LeadTime": 7800}
    assert figures(later, None, again=True) == {"DeploymentsFailed": 1, "RecoveryTime": 8}


def test_no_span_is_no_question():
    with pytest.raises(ValueError, match="no span"):
        dora([], NOW, NOW)


# -- measured at the end of a release


def measured(output: str) -> dict[str, float]:
    """The EMF lines of a workload's metrics."""
    lines = [json.loads(line) for line in output.splitlines() if '"workload"' in line and '"_aws"' in line]
    return {
        metric["Name"]: line[metric["Name"]][0]
        for line in lines
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


@pytest.mark.parametrize(
    ("failing", "names"),
    [
        (0.0, {"Deployments", "DeploymentsReworked", "LeadTime"}),
        (0.3, {"Deployments", "DeploymentsReworked", "DeploymentsFailed", "RecoveryTime"}),
    ],
)
def test_the_end_of_a_release_is_measured(
    failing: float, names: set[str], capsys: pytest.CaptureFixture[str]
):
    world = ReleaseWorld()
    world.failing = {CHECKOUT: {"2": failing}}

    world.deploy()

    assert measured(capsys.readouterr().out).keys() == names


def test_a_refused_release_is_none(capsys: pytest.CaptureFixture[str]):
    world = ReleaseWorld()
    world.awslambda.provisioned = set(world.awslambda.functions)

    assert world.deploy().release.status is ReleaseStatus.REFUSED
    assert measured(capsys.readouterr().out) == {}


# -- the report


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> MemoryReleaseLedger:
    ledger = MemoryReleaseLedger()
    monkeypatch.setattr(report, "_ledger", lambda _aws, _stack: ledger)
    monkeypatch.setattr(report.SystemClock, "now", lambda _: NOW)
    return ledger


def told(*arguments: str) -> Any:
    return CliRunner().invoke(report.app, ["dora", "shop", "--environment", "development", *arguments])


def test_the_report_tells_the_metrics_and_what_was_taken_back(ledger: MemoryReleaseLedger):
    asked = LogLine(key="requested", at=NOW, milestone=Milestone.REQUESTED, text="asked for")
    for one in (release("one", 6), taken_back("two", 5, why="checkout: 9 % of requests fail")):
        ledger.open(one, asked)

    result = told("--days", "7")

    assert result.exit_code == 0, result.output
    assert "2.0 a week" in result.stdout
    assert "1 of 2 taken back" in result.stdout
    assert "worse-than-before: checkout: 9 % of requests fail" in " ".join(result.stdout.split())

    as_json = json.loads(told("--days", "7", "--json").stdout)
    assert as_json["change_lead_time"] == 7800
    assert as_json["change_fail_rate"] == 0.5
    assert as_json["failed_deployment_recovery_time"] == 90


def test_a_workload_without_deployments_has_no_metrics(ledger: MemoryReleaseLedger):
    result = told()

    assert (result.exit_code, "no deployment" in result.stdout) == (0, True)
