"""Somebody takes a permission away: nothing is half done, nothing is lost, and people read what is missing.

test_permissions.py shows of every permission that it is needed; here some are really gone, from the deployed role.
"""

from __future__ import annotations

import pytest

from cli.template import Permission
from sandbox.collector import Collector
from sandbox.inbox import Inbox
from selfright.domain.delivery import DeliveryState, deliveries
from selfright.domain.gates import Gate
from selfright.domain.incident import AttemptStatus, CaseFile, EntryKind, IncidentStatus
from selfright.domain.manifest import ChannelType
from selfright.usecases.sweep import GRACE
from tests.sandbox.journeys.permissions import role_name, without
from tests.sandbox.journeys.world import PROVISIONED, World

DENIED = "AccessDenied"


def told(inbox: Inbox, case: CaseFile) -> str:
    """The one mail about the incident."""
    (mail,) = inbox.about(case.incident.id)
    return str(mail["Message"])


def test_what_cannot_be_read_is_unknown_and_unknown_changes_nothing(world: World, inbox: Inbox):
    missing = Permission("RunChecks", "CheckTables", "dynamodb:DescribeTable")
    with without(world, missing):
        case = world.closed(world.alarm_goes_off().id)

    assert case.incident.status is IncidentStatus.ESCALATED
    (attempt,) = case.attempts
    assert attempt.plan is None
    assert attempt.findings["table-on-demand"] is None
    assert (
        attempt.findings["throttled-by-provisioned-capacity"] is True
    )  # the other checks tell what they see
    assert world.table() == PROVISIONED
    mail = told(inbox, case)
    assert "not-known-enough: could not find out: " in mail
    assert all(word in mail for word in (DENIED, missing.action, role_name(world, missing.owner)))


def test_what_may_not_be_changed_is_left_as_it_was(world: World, inbox: Inbox):
    missing = Permission("ApplyAction", "ActTables", "dynamodb:UpdateTable")
    with without(world, missing):
        case = world.closed(world.alarm_goes_off().id)

    assert case.incident.status is IncidentStatus.ESCALATED
    assert case.attempts[0].status is AttemptStatus.REFUSED
    assert {attempt.plan for attempt in case.attempts[1:]} == {None}
    assert EntryKind.ACTION_UNDONE not in {entry.kind for entry in case.timeline}
    assert world.table() == PROVISIONED
    assert world.leases.holder(case.attempts[0].plan.target, world.now()) is None  # type: ignore[union-attr]
    mail = told(inbox, case)
    assert "(proposed, not carried out)" in mail
    assert all(word in mail for word in (DENIED, missing.action, role_name(world, missing.owner)))


def test_where_the_kill_switch_may_not_be_read_it_counts_as_on(world: World, inbox: Inbox):
    missing = Permission("ChooseRunbook", "Switches", "appconfig:GetLatestConfiguration")
    with without(world, missing):
        case = world.closed(world.alarm_goes_off().id)

    assert case.incident.status is IncidentStatus.ESCALATED  # after it was asked for several times
    assert f"gate {Gate.KILL_SWITCH}" in str(case.incident.outcome)
    assert case.attempts == ()
    assert world.table() == PROVISIONED
    mail = told(inbox, case)
    assert all(word in mail for word in (DENIED, missing.action, role_name(world, missing.owner)))


@pytest.mark.usefixtures("impatient_queue")
def test_what_intake_may_not_start_is_kept_and_started_by_the_sweep(world: World):
    dead_letters = world.outputs["SignalsDeadLettersUrl"]
    with without(world, Permission("ReceiveSignal", "Respond", "states:StartExecution")):
        incident = world.alarm_goes_off()

        # Given an incident that is on record, and that nobody works on
        (letter,) = world.until(
            "the signal is given up", lambda: world.take_messages(dead_letters), seconds=30
        )
        assert incident.name in letter
        assert world.executions(incident.id) == []

        # When the sweep comes by
        world.throw_switches(kill_switch=True)  # a short way is as good as any
        try:
            world.until("it is started", lambda: world.executions(incident.id))
            case = world.closed(incident.id)
        finally:
            world.throw_switches()

    # Then it takes the way of any other, late
    assert len(world.executions(incident.id)) == 1
    (chosen,) = [entry for entry in case.timeline if entry.kind is EntryKind.RUNBOOK_CHOSEN]
    assert chosen.at - incident.opened_at > GRACE
    assert case.incident.outcome == "gate kill-switch: switched-off (on)"


def test_a_topic_that_may_not_be_published_to_blocks_no_other_channel(
    world: World, services: Collector, inbox: Inbox
):
    world.throw_switches(kill_switch=True)
    try:
        with without(world, Permission("TellPeople", "Topic", "sns:Publish")):
            case = world.closed(world.alarm_goes_off().id)
    finally:
        world.throw_switches()

    assert case.incident.status is IncidentStatus.HELD
    assert inbox.about(case.incident.id) == []
    fates = {delivery.channel: delivery.state for delivery in deliveries(case)}
    assert fates["alerts"] is not DeliveryState.TOLD
    assert (fates["team-chat"], fates["pager"]) == (DeliveryState.TOLD, DeliveryState.TOLD)
    (line,) = [entry.text for entry in case.timeline if entry.key == "told-held-alerts"]
    assert "AuthorizationError" in line
    assert services.taken(ChannelType.PAGERDUTY)[-1]["dedup_key"] == case.incident.id
