"""A notice is sent until it is known to have arrived, and never so often that people get it three times."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.delivery import Delivery, DeliveryState, deliveries
from selfright.domain.incident import CaseFile, Incident, IncidentStatus
from selfright.domain.manifest import ChannelType
from tests.unit.usecases.world import ALARM, WENT_OFF, signal, workload


def first(kind: ChannelType = ChannelType.SLACK) -> Delivery:
    return Delivery(channel="team-chat", type=kind, status=IncidentStatus.HELD)


def test_what_was_not_sent_yet_is_due():
    assert first().due
    assert not first().may_have_arrived


def test_what_arrived_is_over():
    told = first().begun().arrived()

    assert (told.state, told.due, told.failed, told.over) == (DeliveryState.TOLD, False, False, True)
    assert told.may_have_arrived


def test_what_a_service_turned_away_is_sent_again_as_often_as_it_takes():
    delivery = first()
    for _ in range(5):
        delivery = delivery.begun().down("Slack answered 503", 0)
        assert delivery.due
    assert (delivery.state, delivery.sends, delivery.unanswered) == (DeliveryState.DOWN, 5, 0)
    assert not delivery.may_have_arrived


def test_what_a_service_refused_is_not_sent_again():
    refused = first().begun().refused("Slack answered 404: no_service")

    assert (refused.due, refused.failed, refused.over) == (False, True, True)
    assert not refused.may_have_arrived


def test_after_two_sends_without_an_answer_nobody_is_told_a_third_time():
    once = first().begun().down("Slack did not answer", 1)
    assert once.due

    twice = once.begun().down("Slack did not answer", 1)

    assert (twice.state, twice.due, twice.failed) == (DeliveryState.UNSURE, False, True)


def test_a_room_that_dies_twice_leaves_no_third_send():
    assert first().begun().due
    assert not first().begun().begun().due


def test_a_pager_merges_repeats_and_is_asked_on():
    delivery = first(ChannelType.PAGERDUTY)
    for _ in range(4):
        delivery = delivery.begun().down("PagerDuty did not answer", 1)

    assert delivery.due
    assert delivery.may_have_arrived


EVENTS = st.lists(st.sampled_from(["arrives unseen", "turned away", "room dies", "arrives"]), max_size=12)


@given(EVENTS)
def test_whatever_happens_at_most_one_duplicate_arrives(events: list[str]):
    delivery, arrived = first(), 0
    for event in events:
        if not delivery.due:
            break
        delivery = delivery.begun()
        match event:
            case "arrives unseen":
                arrived += 1
                delivery = delivery.down("no answer", 1)
            case "room dies":
                arrived += 1  # at worst
            case "turned away":
                delivery = delivery.down("503", 0)
            case _:
                arrived += 1
                delivery = delivery.arrived()
    assert arrived <= 2


@pytest.mark.parametrize(
    ("delivery", "line"),
    [
        (first().begun(), "being told"),
        (first().begun().arrived(), "told"),
        (first().begun().down("x", 0).begun().arrived(), "told at send 2"),
        (first().begun().down("Slack answered 503", 0), "not told, send 1 failed: Slack answered 503"),
        (first().begun().refused("no such secret"), "not told, refused: no such secret"),
        (
            first().begun().down("", 0).begun().down("silence", 2),
            "not known whether told, no answer came to 2 sends: silence",
        ),
        (first().not_needed(), "nothing to tell: nobody was paged"),
    ],
)
def test_its_line_tells_how_it_went(delivery: Delivery, line: str):
    assert delivery.entry(WENT_OFF).text == f"team-chat (slack): {line}"


def test_it_is_read_back_from_the_timeline():
    shop = workload()
    binding = shop.alarm_by_name(ALARM)
    assert binding
    incident = Incident.open(signal(), shop, binding, WENT_OFF)
    delivery = first().begun().down("x" * 1000, 1)
    case = CaseFile(incident=incident, timeline=(delivery.entry(WENT_OFF),))

    (read,) = deliveries(case)

    assert read == delivery
    assert len(read.why) == 300


def test_every_state_of_one_notice_is_the_same_line():
    begun = first().begun()
    keys: set[Any] = {d.entry(WENT_OFF).key for d in (begun, begun.arrived(), begun.refused("x"))}

    assert keys == {"told-held-team-chat"}
