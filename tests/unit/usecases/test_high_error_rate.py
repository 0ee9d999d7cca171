"""The runbook high-error-rate, played: what is tried, what proves it, what is taken back, what people are left with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.errors import SourceDownError
from selfright.domain.incident import AttemptStatus, CaseFile, EntryKind, IncidentStatus
from selfright.domain.judgement import Outcome
from selfright.domain.serving import ConcurrencyState, Failure
from tests.fakes import Down
from tests.unit.usecases.failing_shop import CIRCUIT, FUNCTION, FailingShop, Shares
from tests.unit.usecases.respond import Respond
from tests.unit.usecases.world import WENT_OFF


def crashes_in_version_2(shop: FailingShop) -> Shares:
    return (0.3 if shop.live == "2" else 0.0), 0.0


def payments_fail(shop: FailingShop) -> Shares:
    return 0.0, (0.0 if shop.circuit_open else 0.5)


def crashes_always(_: FailingShop) -> Shares:
    return 0.3, 0.0


def all_is_well(_: FailingShop) -> Shares:
    return 0.0, 0.0


def played(shop: FailingShop) -> CaseFile:
    incident = shop.goes_off()
    Respond(shop).run(incident)
    return shop.case(incident)


def outcome(case: CaseFile) -> tuple[IncidentStatus, str]:
    return case.incident.status, str(case.incident.outcome)


# -- each remedy, where it helps


def test_a_bad_release_is_rolled_back_and_the_metric_proves_it():
    shop = FailingShop(crashes_in_version_2, released=True)

    case = played(shop)

    assert outcome(case) == (IncidentStatus.RESOLVED, f"{FUNCTION}: live from version 2 back to 1")
    assert shop.lambda_.changes == [("version", "1")]
    (attempt,) = case.attempts
    assert attempt.plan is not None
    assert attempt.plan.before == {"alias": "live", "version": "2", "weights": "{}"}
    assert attempt.plan.after == {"alias": "live", "version": "1", "weights": "{}"}
    assert attempt.facts["release"]["percent_failed"] == {"2": 30.0, "1": 0.0}
    assert attempt.judgement is not None
    assert attempt.judgement.outcome is Outcome.HEALTHY


def test_the_verdict_does_not_wait_for_ten_minutes_where_the_matter_is_clear():
    shop = FailingShop(crashes_in_version_2, released=True)

    case = played(shop)

    (attempt,) = case.attempts
    assert attempt.judgement is not None
    assert attempt.applied_at is not None
    assert attempt.judgement.judged_at - attempt.applied_at == timedelta(
        minutes=7
    )  # settle, and metrics' lag
    assert len(attempt.judgement.after) == 4


def test_a_failing_dependency_is_circumvented():
    shop = FailingShop(payments_fail, released=False)

    case = played(shop)

    assert outcome(case) == (
        IncidentStatus.RESOLVED,
        f"{FUNCTION}: circuit to payments opened by flag pay_later",
    )
    assert shop.appconfig.changes == [("pay_later", True)]
    assert shop.lambda_.changes == []
    assert case.attempts[0].facts["failures"]["by_dependency"] == {"payments": 200}


def test_concurrency_is_raised_where_the_functions_own_limit_refuses_requests():
    shop = FailingShop(lambda shop: (0.0 if shop.lambda_.limits.reserved == 10 else 0.2, 0.0), released=False)
    shop.refused = 10.0
    shop.users(WENT_OFF - timedelta(minutes=10), WENT_OFF)

    case = played(shop)

    assert outcome(case) == (IncidentStatus.RESOLVED, f"{FUNCTION}: reserved concurrency 5 → 10")
    assert shop.lambda_.changes == [("reserved", 10)]


# -- what does not help is taken back


def test_the_wrong_suspect_is_released_and_the_next_remedy_works():
    """A release went live just when the payments began to fail."""
    shop = FailingShop(payments_fail, released=True)

    case = played(shop)

    first, second = case.attempts
    assert (first.remedy, first.status) == ("roll-back-alias", AttemptStatus.UNDONE)
    assert first.judgement is not None
    assert first.judgement.outcome is Outcome.SICK
    assert (second.remedy, second.status) == ("open-circuit", AttemptStatus.VERIFIED)
    assert case.incident.status is IncidentStatus.RESOLVED
    assert shop.lambda_.changes == [("version", "1"), ("version", "2")]
    assert (shop.live, shop.circuit_open) == ("2", True)
    (undone,) = [e for e in case.timeline if e.kind is EntryKind.ACTION_UNDONE]
    assert (undone.detail["before"]["version"], undone.detail["after"]["version"]) == ("1", "2")


def test_where_nothing_helps_all_is_as_before_and_people_know_how_bad_it_is():
    shop = FailingShop(lambda _: (0.0, 0.5), released=True)

    case = played(shop)

    assert [a.status for a in case.attempts if a.plan] == [AttemptStatus.UNDONE] * 2
    assert (shop.live, shop.circuit_open) == ("2", False)
    assert outcome(case) == (
        IncidentStatus.ESCALATED,
        "people-needed: More than 10 % of the requests fail for 15 minutes, and no remedy of the runbook is left.",
    )


# -- when to keep one's hands off


def untouched(shop: FailingShop) -> bool:
    return shop.lambda_.changes == [] and shop.appconfig.changes == []


def test_no_roll_back_while_a_deployment_is_under_way():
    shop = FailingShop(crashes_in_version_2, released=True)
    shop.lambda_.now = shop.lambda_.now.model_copy(update={"weights": {"1": 0.9}})

    case = played(shop)

    assert untouched(shop)
    assert case.attempts[0].findings["deployment-under-way"]
    assert case.incident.status is IncidentStatus.ESCALATED


def test_no_roll_back_to_a_version_that_failed_too():
    shop = FailingShop(crashes_always, released=True)
    for n in range(30):
        shop.lambda_.serve("1", WENT_OFF - timedelta(minutes=40 - n), 40, 12)

    case = played(shop)

    assert untouched(shop)
    assert not case.attempts[0].findings["failing-since-release"]
    assert case.incident.status is IncidentStatus.ESCALATED


def test_an_old_release_is_not_suspected():
    case = played(FailingShop(crashes_always, released=False))

    findings = case.attempts[0].findings
    assert (findings["crashing"], findings["released-recently"]) == (True, False)
    assert case.incident.status is IncidentStatus.ESCALATED


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("checksum mismatch in order 7", "corrupt data"),
        ("An error occurred (AccessDeniedException)", "access"),
    ],
)
def test_suspicious_errors_are_peoples_and_nothing_is_changed(message: str, words: str):
    shop = FailingShop(crashes_in_version_2, released=True)
    shop.cloudwatch_logs.lines += [
        Failure(at=WENT_OFF - timedelta(minutes=1), version="2", error="OrderError", message=message)
    ] * 5

    case = played(shop)

    assert untouched(shop)
    status, reason = outcome(case)
    assert status is IncidentStatus.ESCALATED
    assert reason.startswith(
        f"people-needed: Errors speak of {words}" if words != "access" else "people-needed"
    )
    assert words in reason


def test_a_full_account_is_no_matter_of_the_functions():
    shop = FailingShop(all_is_well, released=False)
    shop.lambda_.limits = ConcurrencyState(account_limit=1000, account_unreserved=100)
    shop.refused = 10.0
    shop.users(WENT_OFF - timedelta(minutes=10), WENT_OFF)

    case = played(shop)

    assert untouched(shop)
    assert "account's concurrent executions are used up" in str(case.incident.outcome)


@pytest.mark.parametrize("source", ["logs", "functions"])
def test_what_cannot_be_read_is_not_guessed(source: str):
    shop = FailingShop(payments_fail, released=True)
    setattr(shop, source, Down(SourceDownError("no answer")))

    case = played(shop)

    assert untouched(shop)
    status, reason = outcome(case)
    assert status is IncidentStatus.ESCALATED
    assert reason.startswith("not-known-enough: could not find out: ")


def test_an_alias_that_somebody_moved_meanwhile_is_not_touched_again():
    shop = FailingShop(crashes_in_version_2, released=True)
    point = shop.lambda_.point

    def overtaken(*arguments: Any) -> None:
        shop.lambda_.now = shop.lambda_.now.model_copy(update={"version": "3", "revision": "theirs"})
        point(*arguments)

    shop.lambda_.point = overtaken  # type: ignore[method-assign]

    case = played(shop)

    assert shop.live == "3"
    assert case.incident.status is IncidentStatus.ESCALATED
    assert shop.lambda_.changes == []


def test_the_second_alarm_of_one_problem_leaves_it_to_the_incident_that_is_at_it():
    """Both looked closer at the same moment; the other one was faster, and has opened the circuit already."""
    shop = FailingShop(payments_fail, released=False)
    shop.memory_leases.acquire(FUNCTION, "inc-other", WENT_OFF + timedelta(hours=1), WENT_OFF)
    shop.appconfig.flags[CIRCUIT] = True

    case = played(shop)

    status, reason = outcome(case)
    assert status is IncidentStatus.HELD
    assert reason.startswith(
        "another incident was faster: inc-other has it, and the circuit to payments is open already"
    )
    assert untouched(shop)
    assert shop.memory_leases.holder(FUNCTION, shop.clock.now()) == "inc-other"
