"""A starved table gets its capacity back: decided, done, proven on the metric, told to people."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandbox import faults
from sandbox.inbox import Inbox
from sandbox.traffic import Traffic
from selfright.domain.incident import AttemptStatus, EntryKind, IncidentStatus
from selfright.domain.judgement import Outcome
from tests.sandbox.journeys.world import ALARM, ENVIRONMENT, PROVISIONED, TABLE, World

TRANSITIONS_ALLOWED = 12


@pytest.fixture
def starving(world: World) -> Iterator[Callable[[], None]]:
    """Somebody lowers the table's write capacity to one unit."""
    yield lambda: faults.on("throttled-table", world.server, ENVIRONMENT)
    faults.off("throttled-table", world.server, ENVIRONMENT)


def test_a_starved_table_is_fed_and_the_metric_proves_it(
    world: World, inbox: Inbox, starving: Callable[[], None], users: Traffic
):
    # When somebody lowers the table's write capacity to one unit
    began = world.now()
    starving()
    (incident,) = world.until("an incident is opened", lambda: world.incidents(began))
    case = world.closed(incident.id)
    healed = users.counts()
    world.until("users are served again", lambda: users.counts().since(healed).ok > 5)
    after = users.counts().since(healed)

    # Then the incident is resolved with one change, within the manifest's limits
    assert case.incident.status is IncidentStatus.RESOLVED
    assert (case.incident.alarm_name, case.incident.runbook) == (ALARM, "database-performance")
    (attempt,) = case.attempts
    assert attempt.status is AttemptStatus.VERIFIED
    assert attempt.plan is not None
    assert attempt.plan.before == {"mode": "PROVISIONED", "read_units": 5, "write_units": 1}
    assert attempt.plan.after == {**attempt.plan.before, "write_units": world.table()["write"]}
    assert PROVISIONED["write"] <= world.table()["write"] <= 100
    assert [gate.verdict for gate in attempt.gates] == ["go"] * len(attempt.gates)

    # ... proven on the alarm's own metric, which was beyond its threshold before and is not now
    verdict = attempt.judgement
    assert verdict is not None
    assert verdict.outcome is Outcome.HEALTHY
    assert max(verdict.before) > verdict.threshold == 5
    assert max(verdict.after[-3:]) <= verdict.threshold
    world.until("the alarm is OK", lambda: world.alarm_state() == "OK")
    assert after.throttled == 0

    # ... by one short execution
    (execution,) = world.executions(incident.id)
    assert (execution["name"], execution["status"]) == (incident.id, "SUCCEEDED")
    states = world.states_entered(incident.id)
    assert len(states) <= TRANSITIONS_ALLOWED, states
    kinds = [entry.kind for entry in case.timeline if entry.kind is not EntryKind.SIGNAL_RECEIVED]
    assert kinds[: kinds.index(EntryKind.INCIDENT_CLOSED)] == [
        EntryKind.RUNBOOK_CHOSEN,
        EntryKind.GATES_ASKED,
        EntryKind.CHECKS_RUN,
        EntryKind.REMEDY_CHOSEN,
        EntryKind.GATES_ASKED,
        EntryKind.ACTION_APPLIED,
        EntryKind.OUTCOME_JUDGED,
    ]

    # ... and people are told once
    (told,) = inbox.about(incident.id)
    assert told["Subject"] == (
        "[critical] resolved: throttling of analysis-results, opportunity-analysis development"
    )
    change = f"{TABLE}: write units 1 → {world.table()['write']}"
    assert told["Message"].splitlines() == [
        "What happened: throttling of analysis-results (opportunity-analysis development).",
        f"Alarm: {ALARM} since {incident.episode:%Y-%m-%d %H:%M:%S} UTC.",
        f"What was done: runbook database-performance; {change}.",
        f"What changed: {change}",
        "What is needed of you: Nothing. Selfright keeps watching the alarm.",
        f"Incident: {incident.id}",
    ]
