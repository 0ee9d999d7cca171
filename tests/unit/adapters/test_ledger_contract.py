"""What any store of incidents and leases must do; DynamoDB's and the tests' own in memory are held to it alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.errors import ConflictError, NotFoundError
from selfright.domain.incident import (
    Attempt,
    AttemptStatus,
    Entry,
    EntryKind,
    Incident,
    IncidentStatus,
    Plan,
)
from selfright.domain.signal import Decision, DecisionReason, DecisionRecord, Signal
from tests.unit.adapters.conftest import Ledger
from tests.unit.usecases.world import ALARM, WENT_OFF, signal, workload

NOW = WENT_OFF + timedelta(seconds=5)
READS = "shop-development-orders-reads-throttled"
TARGET = "shop-development-orders"
PLAN = Plan(
    action="dynamodb.raise_capacity",
    resource="orders",
    target=TARGET,
    summary="10 → 20",
    before={"mode": "PROVISIONED", "write_units": 10},
    after={"mode": "PROVISIONED", "write_units": 20},
    increase_factor=2.0,
)


def incident_of(one: Signal, now: datetime = NOW) -> Incident:
    shop = workload()
    binding = shop.alarm_by_name(one.name)
    assert binding
    return Incident.open(one, shop, binding, now)


def opened(ledger: Ledger, one: Signal | None = None, now: datetime = NOW) -> DecisionRecord:
    one = one or signal()
    return ledger.store.open_or_join(incident_of(one, now), one, now)


def recovered(ledger: Ledger, one: Signal, now: datetime = NOW) -> DecisionRecord:
    return ledger.store.recover(incident_of(one).fingerprint, one, now)


def entry(key: str, seconds: float, **detail: Any) -> Entry:
    return Entry(
        key=key,
        at=NOW + timedelta(seconds=seconds),
        kind=EntryKind.CHECKS_RUN,
        text=f"{key} at {seconds}",
        detail=detail,
    )


def closed(ledger: Ledger, incident: str, status: IncidentStatus, seconds: float = 60) -> Incident:
    at = NOW + timedelta(seconds=seconds)
    line = Entry(key="closed", at=at, kind=EntryKind.INCIDENT_CLOSED, text=status)
    return ledger.store.close(incident, status, f"because {status}", line, at)


# -- decisions


def test_the_first_signal_opens_the_incident_with_its_line(ledger: Ledger):
    record = opened(ledger)

    case = ledger.store.case(str(record.incident_id))
    assert record == DecisionRecord(
        signal=signal(),
        decision=Decision.OPENED,
        reason=DecisionReason.NEW_PROBLEM,
        incident_id=incident_of(signal()).id,
        decided_at=NOW,
    )
    assert case.incident == incident_of(signal())
    assert [(e.kind, e.at) for e in case.timeline] == [(EntryKind.SIGNAL_RECEIVED, NOW)]
    assert case.attempts == ()


def test_the_same_signal_again_gets_the_first_answer(ledger: Ledger):
    first = opened(ledger)
    again = opened(ledger, now=NOW + timedelta(minutes=5))

    assert again == first
    assert ledger.store.case(str(first.incident_id)).incident.signals == 1


def test_another_signal_of_the_problem_joins(ledger: Ledger):
    first = opened(ledger)
    joined = opened(ledger, signal(WENT_OFF + timedelta(seconds=30), alarm=READS))

    assert (joined.decision, joined.reason) == (Decision.JOINED, DecisionReason.PROBLEM_ALREADY_OPEN)
    case = ledger.store.case(str(first.incident_id))
    assert case.incident.signals == 2
    assert {e.detail["alarm"] for e in case.timeline} == {ALARM, READS}


def test_joining_twice_counts_once(ledger: Ledger):
    first = opened(ledger)
    other = signal(WENT_OFF + timedelta(seconds=30), alarm=READS)

    assert opened(ledger, other) == opened(ledger, other)
    assert ledger.store.case(str(first.incident_id)).incident.signals == 2


def test_twenty_at_once_open_one_incident(ledger: Ledger):
    signals = [signal(WENT_OFF + timedelta(seconds=n)) for n in range(20)]

    with ThreadPoolExecutor(max_workers=20) as pool:
        records = list(pool.map(lambda one: opened(ledger, one), signals))

    assert sorted(r.decision for r in records) == [Decision.JOINED] * 19 + [Decision.OPENED]
    (incident,) = {r.incident_id for r in records}
    assert ledger.store.case(str(incident)).incident.signals == 20


def test_twenty_deliveries_of_one_signal_are_one_decision(ledger: Ledger):
    with ThreadPoolExecutor(max_workers=20) as pool:
        records = list(pool.map(lambda _: opened(ledger), range(20)))

    assert {r.decision for r in records} == {Decision.OPENED}
    assert ledger.store.case(str(records[0].incident_id)).incident.signals == 1


def test_a_recovery_that_came_first_overtakes_its_alarm(ledger: Ledger):
    recovered(ledger, signal(WENT_OFF + timedelta(minutes=1), State.OK))
    late = opened(ledger)

    assert (late.decision, late.reason, late.incident_id) == (
        Decision.IGNORED,
        DecisionReason.OVERTAKEN,
        None,
    )
    assert opened(ledger) == late


def test_a_recovery_of_the_same_moment_overtakes_too(ledger: Ledger):
    recovered(ledger, signal(WENT_OFF, State.OK))

    assert opened(ledger).reason is DecisionReason.OVERTAKEN


def test_the_recovery_of_another_alarm_overtakes_nothing(ledger: Ledger):
    recovered(ledger, signal(WENT_OFF + timedelta(minutes=1), State.OK, alarm=READS))

    assert opened(ledger).decision is Decision.OPENED


def test_a_recovery_stands_on_the_open_incidents_timeline(ledger: Ledger):
    first = opened(ledger)
    ok = signal(WENT_OFF + timedelta(minutes=1), State.OK)
    record = recovered(ledger, ok)

    assert (record.decision, record.incident_id) == (Decision.RECOVERED, first.incident_id)
    case = ledger.store.case(str(first.incident_id))
    assert sorted(e.detail["state"] for e in case.timeline) == ["ALARM", "OK"]
    assert recovered(ledger, ok) == record


def test_an_older_recovery_is_overtaken(ledger: Ledger):
    recovered(ledger, signal(WENT_OFF + timedelta(minutes=1), State.OK))
    older = recovered(ledger, signal(WENT_OFF, State.OK))

    assert (older.decision, older.reason) == (Decision.IGNORED, DecisionReason.OVERTAKEN)


def test_an_ignored_signal_is_on_record_once(ledger: Ledger):
    first = ledger.store.ignore(signal(), DecisionReason.NOT_A_WORKLOAD_ALARM, NOW)
    again = ledger.store.ignore(signal(), DecisionReason.NO_DATA_IS_NO_PROBLEM, NOW + timedelta(hours=1))

    assert (first.decision, first.reason) == (Decision.IGNORED, DecisionReason.NOT_A_WORKLOAD_ALARM)
    assert again == first


# -- the case file


def test_the_episode_is_the_last_time_the_incidents_own_alarm_went_off(ledger: Ledger):
    incident = str(opened(ledger).incident_id)
    again = WENT_OFF + timedelta(minutes=2)
    opened(ledger, signal(WENT_OFF + timedelta(minutes=3), alarm=READS))
    assert ledger.store.case(incident).episode == WENT_OFF

    opened(ledger, signal(again))

    assert ledger.store.case(incident).episode == again


def test_an_attempt_and_its_lines_are_written_together_and_again(ledger: Ledger):
    incident = str(opened(ledger).incident_id)
    chosen = Attempt(number=1, findings={"a": True, "b": None}, facts={"n": 1.5}, remedy="raise", plan=PLAN)
    ledger.store.save_attempt(incident, chosen, [entry("attempt-1-checks", 1, facts={"n": 1.5})])
    done = chosen.model_copy(update={"status": AttemptStatus.APPLIED, "applied_at": NOW})
    ledger.store.save_attempt(incident, done, [entry("attempt-1-checks", 2)])

    case = ledger.store.case(incident)
    assert case.attempts == (done,)
    assert [e.text for e in case.timeline if e.kind is EntryKind.CHECKS_RUN] == ["attempt-1-checks at 2"]


def test_a_long_case_comes_whole_and_in_order(ledger: Ledger):
    """More than the megabyte that one Query answers."""
    incident = str(opened(ledger).incident_id)
    for n in range(60):
        ledger.store.save_attempt(
            incident,
            Attempt(number=1, facts={"n": n}),
            [entry(f"line-{59 - n}", 10 + n, padding="x" * 25_000)],
        )
    for number in (12, 2):
        ledger.store.save_attempt(incident, Attempt(number=number))

    case = ledger.store.case(incident)
    assert [a.number for a in case.attempts] == [1, 2, 12]
    assert [e.key for e in case.timeline[1:]] == [f"line-{59 - n}" for n in range(60)]


def test_taking_up_notes_the_runbook(ledger: Ledger):
    incident = str(opened(ledger).incident_id)
    ledger.store.take_up(incident, "database-performance", [entry("runbook", 1)])
    assert ledger.store.case(incident).incident.runbook == "database-performance"

    ledger.store.take_up(incident, None, [])
    assert ledger.store.case(incident).incident.runbook is None


def test_an_incident_that_is_not_there_is_said_to_be_missing(ledger: Ledger):
    with pytest.raises(NotFoundError, match="inc-unknown"):
        ledger.store.case("inc-unknown")
    with pytest.raises(ConflictError):
        ledger.store.take_up("inc-unknown", "database-performance", [])


def test_closing_frees_the_problem(ledger: Ledger):
    first = str(opened(ledger).incident_id)

    incident = closed(ledger, first, IncidentStatus.RESOLVED)

    assert (incident.status, incident.outcome) == (IncidentStatus.RESOLVED, "because resolved")
    assert incident.closed_at == NOW + timedelta(seconds=60)
    second = opened(ledger, signal(WENT_OFF + timedelta(minutes=5)))
    assert second.decision is Decision.OPENED
    assert second.incident_id != first


def test_a_closed_incident_stays_as_it_was_closed_first(ledger: Ledger):
    incident = str(opened(ledger).incident_id)
    first = closed(ledger, incident, IncidentStatus.RESOLVED)
    opened(ledger, signal(WENT_OFF + timedelta(minutes=5)))

    assert closed(ledger, incident, IncidentStatus.ESCALATED, seconds=600) == first
    assert [e.text for e in ledger.store.case(incident).timeline if e.key == "closed"] == ["resolved"]
    # And the newer incident of the problem is still open
    assert opened(ledger, signal(WENT_OFF + timedelta(minutes=6))).decision is Decision.JOINED


def test_a_workloads_incidents_come_newest_first(ledger: Ledger):
    ids = []
    for n in range(3):
        at = WENT_OFF + timedelta(minutes=n)
        record = opened(ledger, signal(at), now=at)
        ids.append(record.incident_id)
        closed(ledger, str(record.incident_id), IncidentStatus.RESOLVED)

    listed = ledger.store.incidents("shop", "development", 2)

    assert [i.id for i in listed] == [ids[2], ids[1]]
    assert listed[0].status is IncidentStatus.RESOLVED
    assert ledger.store.incidents("shop", "production", 2) == []


def test_the_open_incidents_are_those_that_nobody_closed(ledger: Ledger):
    old = str(opened(ledger, now=NOW).incident_id)
    other = signal(alarm="shop-development-checkout-errors")
    new = str(opened(ledger, other, now=NOW + timedelta(hours=1)).incident_id)

    assert [i.id for i in ledger.store.open_incidents("shop", "development", NOW)] == [old, new]
    assert [i.id for i in ledger.store.open_incidents("shop", "development", NOW + timedelta(minutes=1))] == [
        new
    ]

    closed(ledger, new, IncidentStatus.HELD)
    assert [i.id for i in ledger.store.open_incidents("shop", "development", NOW)] == [old]
    assert ledger.store.open_incidents("shop", "production", NOW) == []


def test_a_decision_is_found_by_its_signal(ledger: Ledger):
    assert ledger.store.decision(signal().id) is None

    record = opened(ledger)

    assert ledger.store.decision(signal().id) == record


def test_a_problem_remembers_the_moment_that_last_opened_it(ledger: Ledger):
    print_ = incident_of(signal()).fingerprint
    assert ledger.store.last_episode(print_) is None

    incident = str(opened(ledger).incident_id)
    opened(ledger, signal(WENT_OFF + timedelta(minutes=5)))  # joins
    closed(ledger, incident, IncidentStatus.ESCALATED)

    assert ledger.store.last_episode(print_) == WENT_OFF


def test_the_reason_of_the_first_signal_is_kept(ledger: Ledger):
    incident = str(opened(ledger).incident_id)

    assert ledger.store.case(incident).reason == "Threshold Crossed"


def test_a_case_knows_when_all_its_alarms_are_over(ledger: Ledger):
    incident = str(opened(ledger).incident_id)
    assert not ledger.store.case(incident).recovered

    recovered(ledger, signal(WENT_OFF + timedelta(minutes=1), State.OK))
    assert ledger.store.case(incident).recovered

    opened(ledger, signal(WENT_OFF + timedelta(minutes=2), alarm=READS))
    assert not ledger.store.case(incident).recovered
