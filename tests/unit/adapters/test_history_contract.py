"""What the gates remember; DynamoDB's memory and the tests' own are held to the same promises."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.budget import Budget
from selfright.domain.errors import ConflictError
from selfright.domain.gates import Fate, absurdity
from selfright.domain.incident import Attempt, AttemptStatus, IncidentStatus
from selfright.domain.signal import Decision, DecisionReason, SignalKind
from tests.unit.adapters.conftest import Ledger
from tests.unit.adapters.test_ledger_contract import (
    NOW,
    PLAN,
    READS,
    TARGET,
    closed,
    incident_of,
    opened,
    recovered,
)
from tests.unit.usecases.world import WENT_OFF, signal

PLACE = ("shop", "development")
BUDGET = Budget(workload="shop", environment="development", per_hour=4, per_day=12)


def intend(
    ledger: Ledger, incident: str, number: int = 1, minutes: float = 0, target: str = TARGET
) -> Attempt:
    now = NOW + timedelta(minutes=minutes)
    fence = ledger.leases.acquire(target, incident, now + timedelta(minutes=1), now)
    plan = PLAN.model_copy(update={"target": target})
    attempt = Attempt(
        number=number,
        remedy="raise-capacity",
        plan=plan,
        fence=fence,
        status=AttemptStatus.INTENDED,
        intended_at=now,
        episode=WENT_OFF,
    )
    ledger.store.intend(incident, attempt, target, BUDGET, now)
    ledger.leases.release(target, incident)
    return attempt


# -- changes


def test_a_contributor_that_changes_is_no_change_of_the_alarm(ledger: Ledger):
    one = signal().model_copy(update={"contributor": "c1"})

    assert opened(ledger, one).decision is Decision.OPENED

    assert list(ledger.history.alarm_changes(one.subject, WENT_OFF)) == []


def test_a_change_is_remembered_with_what_came_of_it(ledger: Ledger):
    incident = str(opened(ledger).incident_id)
    attempt = intend(ledger, incident)
    (begun,) = ledger.history.changes(TARGET)
    assert (begun.incident, begun.remedy, begun.at, begun.episode) == (
        incident,
        "raise-capacity",
        NOW,
        WENT_OFF,
    )
    assert begun.fate is Fate.OPEN

    ledger.store.save_attempt(incident, attempt.model_copy(update={"status": AttemptStatus.UNDONE}))

    assert [c.fate for c in ledger.history.changes(TARGET)] == [Fate.FAILED]
    assert ledger.history.changes("another-table") == []


def test_an_attempt_that_never_came_to_a_change_is_not_remembered(ledger: Ledger):
    incident = str(opened(ledger).incident_id)
    ledger.store.save_attempt(incident, Attempt(number=1, remedy="raise-capacity", plan=PLAN))

    assert ledger.history.changes(TARGET) == []


def test_a_number_that_is_none_stays_one_in_the_ledger(ledger: Ledger):
    """A gate looks for it; null would pass."""
    incident = str(opened(ledger).incident_id)
    facts = {"usage": {"write": {"demand_peak": float("inf"), "consumed_peak": float("nan")}}}
    ledger.store.save_attempt(incident, Attempt(number=1, facts=facts))

    (saved,) = ledger.store.case(incident).attempts

    assert absurdity(saved.facts) == "usage.write.demand_peak is inf"


# -- alarms


def test_an_alarms_changes_are_remembered_once_each(ledger: Ledger):
    on, off = signal(), signal(WENT_OFF + timedelta(minutes=1), State.OK)
    for _ in range(2):
        opened(ledger, on)
        recovered(ledger, off)
    opened(ledger, signal(WENT_OFF, alarm=READS))

    assert list(ledger.history.alarm_changes(on.subject, WENT_OFF)) == [on.at, off.at]
    assert list(ledger.history.alarm_changes(on.subject, off.at)) == [off.at]


def test_changes_that_come_in_disorder_count_all_the_same(ledger: Ledger):
    recovered(ledger, signal(WENT_OFF + timedelta(minutes=1), State.OK))
    opened(ledger)  # overtaken

    assert len(ledger.history.alarm_changes(signal().subject, WENT_OFF)) == 2


# -- the budget


def test_an_attempt_counts_once_however_often_it_is_written(ledger: Ledger):
    incident = str(opened(ledger).incident_id)
    for minutes in (0, 1, 2):
        intend(ledger, incident, minutes=minutes)

    assert [(c.incident, c.attempt) for c in ledger.history.counted(*PLACE)] == [(incident, 1)]


def test_the_hours_last_change_is_the_last(ledger: Ledger):
    for n in range(4):
        intend(ledger, f"inc-{n}", minutes=n)

    with pytest.raises(ConflictError, match="budget of shop development is spent"):
        intend(ledger, "inc-4", minutes=59)
    intend(ledger, "inc-4", minutes=60)  # the first is an hour old


def test_the_day_has_a_limit_of_its_own(ledger: Ledger):
    for n in range(12):
        intend(ledger, f"inc-{n}", minutes=30.0 * n)

    with pytest.raises(ConflictError, match="is spent"):
        intend(ledger, "inc-12", minutes=24 * 60 - 1)
    intend(ledger, "inc-12", minutes=24 * 60)


def test_concurrent_incidents_cannot_exceed_the_budget(ledger: Ledger):
    """Sixteen at once, each on a target of its own: the lease does not hold them apart."""

    def attempt(n: int) -> bool:
        return tried(lambda: intend(ledger, f"inc-{n}", target=f"table-{n}"))

    with ThreadPoolExecutor(max_workers=16) as pool:
        granted = list(pool.map(attempt, range(16)))

    assert sum(granted) <= 4
    assert len(ledger.history.counted(*PLACE)) == sum(granted) >= 1
    made = [n for n in range(16) if ledger.history.changes(f"table-{n}")]
    assert made == [n for n, ok in enumerate(granted) if ok]  # who was not counted left no record of a change


def tried(intent: Callable[[], Any]) -> bool:
    from selfright.domain.errors import ThrottledError

    try:
        intent()
    except (ConflictError, ThrottledError):
        return False
    return True


# -- troubles and storms


def test_what_no_alarm_reported_is_no_trouble_because_no_alarm_would_end_it(ledger: Ledger):
    stack = signal().model_copy(update={"kind": SignalKind.STACK, "fact": "1"})

    assert opened(ledger, stack).decision is Decision.OPENED

    assert ledger.history.troubles(*PLACE).problems == {}
    assert list(ledger.history.alarm_changes(stack.subject, WENT_OFF)) == []


def test_a_problem_is_trouble_until_it_is_resolved(ledger: Ledger):
    incident = incident_of(signal())
    opened(ledger)
    assert ledger.history.troubles(*PLACE).problems == {incident.fingerprint: "orders"}

    closed(ledger, incident.id, IncidentStatus.RESOLVED)

    assert ledger.history.troubles(*PLACE).problems == {}


def test_in_the_hands_of_people_it_is_trouble_until_the_alarm_is_over(ledger: Ledger):
    incident = incident_of(signal())
    opened(ledger)
    closed(ledger, incident.id, IncidentStatus.ESCALATED)
    assert ledger.history.troubles(*PLACE).problems

    recovered(ledger, signal(WENT_OFF + timedelta(minutes=2), State.OK))

    assert ledger.history.troubles(*PLACE).problems == {}


def test_while_it_is_remedied_it_is_trouble_though_the_alarm_is_over(ledger: Ledger):
    incident = incident_of(signal())
    opened(ledger)
    recovered(ledger, signal(WENT_OFF + timedelta(minutes=2), State.OK))
    assert ledger.history.troubles(*PLACE).problems

    closed(ledger, incident.id, IncidentStatus.ESCALATED)

    assert ledger.history.troubles(*PLACE).problems == {}


def test_a_storm_is_declared_by_one_and_ends_for_all(ledger: Ledger):
    ledger.history.declare_storm(*PLACE, "inc-1", NOW)
    ledger.history.declare_storm(*PLACE, "inc-2", NOW)
    assert ledger.history.troubles(*PLACE).declared_by == "inc-1"
    assert ledger.history.troubles("shop", "production").declared_by is None

    ledger.history.end_storm(*PLACE)
    ledger.history.end_storm(*PLACE)

    assert ledger.history.troubles(*PLACE).declared_by is None


def test_a_held_incident_is_closed_from_the_start_and_one_per_problem(ledger: Ledger):
    incident, later = incident_of(signal()), signal(WENT_OFF + timedelta(minutes=1))
    first = ledger.store.hold(incident, signal(), NOW)
    again = ledger.store.hold(incident, signal(), NOW + timedelta(minutes=1))
    other = ledger.store.hold(incident_of(later), later, NOW)

    assert (first.decision, first.reason, first.incident_id) == (
        Decision.HELD,
        DecisionReason.STORM,
        incident.id,
    )
    assert again == first
    assert (other.decision, other.incident_id) == (Decision.HELD, incident.id)
    case = ledger.store.case(incident.id)
    assert (case.incident.status, case.incident.closed_at) == (IncidentStatus.HELD, NOW)
    assert len(case.timeline) == 2

    recovered(ledger, signal(WENT_OFF + timedelta(minutes=2), State.OK))
    assert ledger.history.troubles(*PLACE).problems == {}
    fresh = opened(ledger, signal(WENT_OFF + timedelta(minutes=3)))
    assert fresh.decision is Decision.OPENED


def test_in_a_storm_a_signal_that_its_recovery_overtook_is_no_trouble(ledger: Ledger):
    """Nothing would ever end it: its alarm is OK already, and tells so only once."""
    late = signal().model_copy(update={"contributor": "c1"})
    recovered(ledger, signal(WENT_OFF + timedelta(minutes=2), State.OK))

    record = ledger.store.hold(incident_of(late), late, NOW)

    assert (record.decision, record.reason) == (Decision.IGNORED, DecisionReason.OVERTAKEN)
    assert record.incident_id is None
    assert ledger.store.decision(late.id) == record
    assert ledger.history.troubles(*PLACE).problems == {}
    assert ledger.store.incidents(*PLACE, 10) == []


def test_in_a_storm_a_repeated_trouble_is_held_under_the_incident_that_is_on_record(ledger: Ledger):
    """Open, in the hands of people, or held: it is the same trouble."""
    incident = str(opened(ledger).incident_id)
    later = signal(WENT_OFF + timedelta(minutes=1))

    record = ledger.store.hold(incident_of(later), later, NOW)

    assert (record.decision, record.incident_id) == (Decision.HELD, incident)
    assert [i.id for i in ledger.store.incidents(*PLACE, 10)] == [incident]


def test_in_a_storm_a_late_signal_of_what_is_resolved_changes_nothing(ledger: Ledger):
    """Of the same moment as the one that opened it, as the time series of an alarm over many are."""
    late = signal().model_copy(update={"contributor": "c1"})
    incident = str(opened(ledger).incident_id)
    closed(ledger, incident, IncidentStatus.RESOLVED)

    record = ledger.store.hold(incident_of(late), late, NOW)

    assert (record.decision, record.incident_id) == (Decision.IGNORED, None)
    assert ledger.store.case(incident).incident.status is IncidentStatus.RESOLVED
    assert ledger.history.troubles(*PLACE).problems == {}
