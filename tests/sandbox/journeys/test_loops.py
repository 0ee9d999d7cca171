"""What goes in circles is stopped: a remedy that brings its own alarm about, and an alarm that cannot make up its mind."""

from __future__ import annotations

from datetime import datetime

from sandbox.customers import Customers
from selfright.domain.gates import Gate, Reason, Verdict
from selfright.domain.gates.history import FLAPS
from selfright.domain.incident import AttemptStatus, CaseFile, EntryKind, IncidentStatus
from tests.sandbox.journeys.flapping import FLAPPING, LOOPING, SLOWLY
from tests.sandbox.journeys.street import Street

# Write units of an order: as the shop grows, more is ordered than it can take, each time within half an hour.
DEMANDS = (20, 45, 110)


def gate(case: CaseFile, name: Gate) -> dict[str, str]:
    """What a gate said when the gates were asked last."""
    asked = [entry for entry in case.timeline if entry.kind is EntryKind.GATES_ASKED]
    return next(g for g in asked[-1].detail["gates"] if g["gate"] == name)


def test_an_alarm_that_flaps_never_reaches_an_action(
    open_street: tuple[Street, Customers], quiet_since: datetime
):
    """Four changes of state by hand; with the fifth the shop is really too small, and there is a remedy."""
    del quiet_since
    street, _ = open_street
    case = street.closed(FLAPPING, 3)

    assert case.incident.status is IncidentStatus.ESCALATED
    said = gate(case, Gate.FLAPPING)
    assert (said["verdict"], said["reason"]) == (Verdict.ASK, Reason.ALARM_FLAPS)
    assert said["value"].startswith(f"{FLAPS} change(s) of state in the last hour")
    (attempt,) = case.attempts
    assert attempt.plan is not None  # it knows what it would do
    assert attempt.status is AttemptStatus.REFUSED
    assert (street.changes(FLAPPING), street.write_units(FLAPPING)) == ([], 1)
    assert [page["event_action"] for page in street.pages(case.incident)] == ["trigger"]


def test_a_remedy_that_brings_its_own_alarm_about_is_stopped(
    open_street: tuple[Street, Customers], quiet_since: datetime
):
    """Whatever the shop can take, more is ordered: capacity that is added makes the demand that it lacks."""
    del quiet_since  # one after the other: customers come to one shop at a time
    street, customers = open_street

    for number, units in enumerate(DEMANDS, start=1):
        customers.come((LOOPING,), units)
        case = street.closed(LOOPING, number, SLOWLY)
        if number < len(DEMANDS):
            assert case.incident.status is IncidentStatus.RESOLVED, street.story()
            street.until("the alarm is OK", lambda: street.alarm_state(LOOPING) == "OK")

    # Then the third time is a chain of our own making, and people take over
    customers.come(())
    assert case.incident.status is IncidentStatus.ESCALATED
    assert str(case.incident.outcome).startswith("gate own-action-loop: caused-by-us (depth 2")
    assert case.attempts == ()
    made = street.changes(LOOPING)
    assert len(made) == 2
    assert street.write_units(LOOPING) == made[-1][1]
    assert [page["event_action"] for page in street.pages(case.incident)] == ["trigger"]
