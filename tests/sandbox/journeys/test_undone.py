"""A remedy that does not help is taken back, and people take over where there is no other."""

from __future__ import annotations

from selfright.domain.incident import AttemptStatus, EntryKind, IncidentStatus
from selfright.domain.judgement import Outcome
from tests.sandbox.journeys.world import FLOOD, PROVISIONED, World


def test_a_remedy_that_does_not_help_is_undone(world: World):
    # Given a remedy that has been applied and is settling
    incident = world.alarm_goes_off()
    world.until("the remedy is applied", lambda: world.acted(incident.id))

    # When the demand grows beyond it
    world.load.write(FLOOD)
    world.taint()
    case = world.closed(incident.id)

    # Then the before-values are back, and the timeline says why
    assert world.table() == PROVISIONED
    first, *others = case.attempts
    assert first.plan is not None
    assert first.plan.before["write_units"] == PROVISIONED["write"]
    assert first.status is AttemptStatus.UNDONE
    assert first.judgement is not None
    assert first.judgement.outcome in {Outcome.SICK, Outcome.WORSE}
    assert min(first.judgement.after[-2:]) > first.judgement.threshold
    (undone,) = [entry for entry in case.timeline if entry.kind is EntryKind.ACTION_UNDONE]
    assert (undone.detail["before"], undone.detail["after"]) == (first.plan.after, first.plan.before)

    # ... and as the runbook has no other remedy for this table, people take over
    (last,) = others
    assert last.plan is None
    assert not last.findings["table-busy"]  # it was looked at after the undo, not during it
    assert case.incident.status is IncidentStatus.ESCALATED
    assert case.incident.outcome == "none-left: tried without success: raise-capacity"
