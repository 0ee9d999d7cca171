"""Somebody else changes the table after the remedy: what they did stays, and they are told."""

from __future__ import annotations

from sandbox.inbox import Inbox
from selfright.domain.incident import AttemptStatus, EntryKind, IncidentStatus
from tests.sandbox.journeys.world import World

BY_HAND = 30


def test_a_change_by_hand_before_the_verdict_is_never_overwritten(world: World, inbox: Inbox):
    # Given a remedy that has been applied and is settling
    incident = world.alarm_goes_off()
    world.until("the remedy is applied", lambda: world.acted(incident.id))
    raised = world.table()["write"]

    # When somebody changes the table by hand
    world.set_units(BY_HAND)
    case = world.closed(incident.id)

    # Then it stays, nobody claims a cure, and people are told
    assert world.table()["write"] == BY_HAND
    assert case.incident.status is IncidentStatus.ESCALATED
    assert "the change is not in force" in str(case.incident.outcome)
    assert f"'write_units': {BY_HAND}" in str(case.incident.outcome)
    (attempt,) = case.attempts
    assert (attempt.status, attempt.plan and attempt.plan.after["write_units"]) == (
        AttemptStatus.APPLIED,
        raised,
    )
    assert EntryKind.ACTION_UNDONE not in {entry.kind for entry in case.timeline}
    (told,) = inbox.about(incident.id)
    assert told["Subject"].startswith("[critical] escalated: throttling of analysis-results")
    assert f"'write_units': {BY_HAND}" in told["Message"]
