"""What any leases must do, and the intent that only their holder may note; memory and DynamoDB alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from selfright.domain.budget import Budget
from selfright.domain.errors import ConflictError
from selfright.domain.incident import (
    Attempt,
    AttemptStatus,
)
from tests.unit.adapters.conftest import Ledger
from tests.unit.adapters.test_ledger_contract import NOW, PLAN, TARGET, opened

BUDGET = Budget(workload="shop", environment="development", per_hour=4, per_day=12)


def until(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_lease_is_held_until_it_runs_out(ledger: Ledger):
    assert ledger.leases.holder(TARGET, NOW) is None
    ledger.leases.acquire(TARGET, "inc-1", until(60), NOW)

    assert ledger.leases.holder(TARGET, until(59.9)) == "inc-1"
    assert ledger.leases.holder(TARGET, until(60)) is None


def test_a_lease_that_ran_out_has_lapsed_until_it_is_given_back(ledger: Ledger):
    assert ledger.leases.lapsed(TARGET, NOW) is None
    ledger.leases.acquire(TARGET, "inc-1", until(60), NOW)

    assert ledger.leases.lapsed(TARGET, until(59.9)) is None
    assert ledger.leases.lapsed(TARGET, until(60)) == "inc-1"

    ledger.leases.release(TARGET, "inc-1")
    assert ledger.leases.lapsed(TARGET, until(60)) is None


def test_only_one_holds_it(ledger: Ledger):
    ledger.leases.acquire(TARGET, "inc-1", until(60), NOW)

    with pytest.raises(ConflictError):
        ledger.leases.acquire(TARGET, "inc-2", until(600), until(59.9))
    assert ledger.leases.holder(TARGET, until(1)) == "inc-1"


def test_the_fencing_token_only_grows(ledger: Ledger):
    first = ledger.leases.acquire(TARGET, "inc-1", until(60), NOW)
    again = ledger.leases.acquire(TARGET, "inc-1", until(90), until(30))
    ledger.leases.release(TARGET, "inc-1")
    released = ledger.leases.acquire(TARGET, "inc-2", until(200), until(40))
    run_out = ledger.leases.acquire(TARGET, "inc-3", until(400), until(200))

    assert first < again < released < run_out


def test_twenty_want_it_and_one_gets_it(ledger: Ledger):
    def want(n: int) -> int | None:
        try:
            return ledger.leases.acquire(TARGET, f"inc-{n}", until(60), NOW)
        except ConflictError:
            return None

    with ThreadPoolExecutor(max_workers=20) as pool:
        fences = list(pool.map(want, range(20)))

    assert len([f for f in fences if f is not None]) == 1


def test_what_is_not_ours_is_not_released(ledger: Ledger):
    ledger.leases.release(TARGET, "inc-2")
    ledger.leases.acquire(TARGET, "inc-1", until(60), NOW)
    ledger.leases.release(TARGET, "inc-2")

    assert ledger.leases.holder(TARGET, NOW) == "inc-1"


def test_intent_is_noted_by_the_holder_of_the_lease(ledger: Ledger):
    incident = str(opened(ledger).incident_id)
    fence = ledger.leases.acquire(TARGET, incident, until(60), NOW)
    intended = Attempt(number=1, plan=PLAN, fence=fence, status=AttemptStatus.INTENDED)

    ledger.store.intend(incident, intended, TARGET, BUDGET, until(1))

    assert ledger.store.case(incident).attempts == (intended,)
    assert ledger.leases.last_action_at(TARGET, other_than="inc-2") == until(1)
    assert ledger.leases.last_action_at(TARGET, other_than=incident) is None
    assert ledger.leases.last_action_at("another-table", other_than="inc-2") is None


def test_a_stale_token_notes_nothing(ledger: Ledger):
    incident = str(opened(ledger).incident_id)
    fence = ledger.leases.acquire(TARGET, incident, until(60), NOW)
    ledger.leases.acquire(TARGET, incident, until(60), NOW)  # the same owner, in a later try
    stale = Attempt(number=1, plan=PLAN, fence=fence, status=AttemptStatus.INTENDED)

    with pytest.raises(ConflictError):
        ledger.store.intend(incident, stale, TARGET, BUDGET, until(1))

    assert ledger.store.case(incident).attempts == ()
    assert ledger.leases.last_action_at(TARGET, other_than="inc-2") is None


@pytest.mark.parametrize("held_by", [None, "inc-2"])
def test_without_the_lease_nothing_is_intended(ledger: Ledger, held_by: str | None):
    incident = str(opened(ledger).incident_id)
    if held_by:
        ledger.leases.acquire(TARGET, held_by, until(60), NOW)

    with pytest.raises(ConflictError, match=TARGET):
        ledger.store.intend(incident, Attempt(number=1, plan=PLAN, fence=1), TARGET, BUDGET, until(1))

    assert ledger.store.case(incident).attempts == ()
