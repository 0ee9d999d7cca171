"""The last state of `respond`, with the real state machine and handler: every channel once, whatever fails."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from selfright.domain.delivery import Delivery, DeliveryState, deliveries
from selfright.domain.errors import (
    BadInputError,
    ChannelDownError,
    NotFoundError,
    SourceDownError,
    ThrottledError,
)
from selfright.domain.incident import EntryKind, IncidentStatus
from selfright.domain.manifest import ChannelType
from selfright.domain.notice import Notice
from selfright.ports import Switches
from tests.unit.usecases.respond import CrashedError, Respond, handler
from tests.unit.usecases.world import World, workload

CHANNELS = {
    "alerts": {"type": "sns"},
    "team-chat": {"type": "slack", "secret": "shop/development/slack"},
    "pager": {"type": "pagerduty", "secret": "shop/development/pagerduty"},
    "own": {"type": "webhook", "secret": "shop/development/webhook"},
}
RETRIES = 4  # of the state machine
CONTEXT = SimpleNamespace(aws_request_id="request-1")
TELL = "Tell people"


@pytest.fixture
def world() -> World:
    """Held by the kill switch, so that people are needed and the pager goes."""
    world = World(workload(notifications={"channels": CHANNELS}))
    world.board.switches = Switches(kill_switch=True)
    return world


def played(world: World) -> tuple[Respond, dict[str, Delivery]]:
    incident = world.receive()
    respond = Respond(world)
    respond.run(incident)
    return respond, {d.channel: d for d in deliveries(world.case(incident))}


def got(world: World) -> dict[str, int]:
    """How many notices each channel got."""
    return {key: len(world.channels.to(key)) for key in CHANNELS}


def failing(error: BaseException, times: int = 1000) -> Callable[[Notice], None]:
    left = [times]

    def fail(notice: Notice) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise error

    return fail


ONCE = dict.fromkeys(CHANNELS, 1)


# -- all is well


def test_every_channel_of_the_manifest_is_told_once(world: World):
    respond, fates = played(world)

    assert got(world) == ONCE
    assert {d.state for d in fates.values()} == {DeliveryState.TOLD}
    assert (respond.visited[-1], respond.failed) == (TELL, False)
    (page,) = world.channels.to("pager")
    assert (page.type, page.body["event_action"]) == (ChannelType.PAGERDUTY, "trigger")
    (post,) = world.channels.to("team-chat")
    assert "blocks" in post.body


def test_the_timeline_tells_who_was_told(world: World):
    incident = world.receive()
    Respond(world).run(incident)

    lines = [e.text for e in world.case(incident).timeline if e.kind is EntryKind.PEOPLE_TOLD]
    assert sorted(lines) == [
        "alerts (sns): told",
        "own (webhook): told",
        "pager (pagerduty): told",
        "team-chat (slack): told",
    ]


def test_nobody_is_paged_for_what_is_over(world: World):
    world.board.switches = Switches(kill_switch=False)

    _, fates = played(world)

    assert got(world) == {**ONCE, "pager": 0}
    assert fates["pager"].state is DeliveryState.NOT_NEEDED


def test_a_page_is_taken_back_when_its_incident_is_over_after_all(world: World):
    # Given an incident that called people
    incident = world.receive()
    Respond(world).run(incident)

    # When it is told of again, resolved
    told = world.memory._incidents[incident]
    world.memory._incidents[incident] = told.model_copy(update={"status": IncidentStatus.RESOLVED})
    handler("tell_people", world)({"incident_id": incident}, CONTEXT)

    pages = [(p.body["event_action"], p.body["dedup_key"]) for p in world.channels.to("pager")]
    assert pages == [("trigger", incident), ("resolve", incident)]
    assert got(world) == dict.fromkeys(CHANNELS, 2)


def test_without_a_channel_the_topic_is_told():
    world = World()

    respond, fates = played(world)

    assert list(fates) == ["topic"]
    assert [notice.type for notice in world.channels.to("topic")] == [ChannelType.SNS]
    assert not respond.failed


# -- one channel is dead

DOWN = [
    ChannelDownError("Slack answered 503"),
    SourceDownError("reading secret shop/development/slack: timeout"),
    ThrottledError("reading secret shop/development/slack: slower"),
]


@pytest.mark.parametrize("error", DOWN, ids=lambda e: type(e).__name__)
def test_a_dead_channel_is_tried_again_and_blocks_no_other(world: World, error: Exception):
    world.channels.before["team-chat"] = failing(error)

    respond, fates = played(world)

    assert got(world) == {**ONCE, "team-chat": 0}
    dead = fates.pop("team-chat")
    assert (dead.state, dead.sends) == (DeliveryState.DOWN, 1 + RETRIES)
    assert {d.state for d in fates.values()} == {DeliveryState.TOLD}
    assert (respond.visited[-1], respond.failed) == ("Told in part", False)


def test_it_says_so_on_the_timeline(world: World):
    world.channels.before["team-chat"] = failing(ChannelDownError("Slack answered 503"))
    incident = world.receive()
    Respond(world).run(incident)

    (line,) = [e for e in world.case(incident).timeline if e.key == "told-held-team-chat"]
    assert line.text == "team-chat (slack): not told, send 5 failed: Slack answered 503"


@pytest.mark.parametrize("times", range(1, RETRIES + 1))
def test_a_channel_that_comes_back_in_time_is_told_once(world: World, times: int):
    world.channels.before["team-chat"] = failing(ChannelDownError("Slack answered 503"), times)

    respond, fates = played(world)

    assert got(world) == ONCE
    assert (fates["team-chat"].state, fates["team-chat"].sends) == (DeliveryState.TOLD, times + 1)
    assert respond.visited[-1] == TELL


@pytest.mark.parametrize(
    "error", [BadInputError("notice", "no"), NotFoundError("secret shop/development/slack does not exist")]
)
def test_a_channel_that_refuses_is_asked_once(world: World, error: Exception):
    world.channels.before["team-chat"] = failing(error)

    respond, fates = played(world)

    assert got(world) == {**ONCE, "team-chat": 0}
    assert (fates["team-chat"].state, fates["team-chat"].sends) == (DeliveryState.REFUSED, 1)
    assert fates["team-chat"].why == str(error)
    assert (respond.visited[-1], respond.failed) == (TELL, False)


def test_a_channel_that_takes_notices_and_never_answers_gets_two_at_most(world: World):
    world.channels.after["team-chat"] = failing(ChannelDownError("Slack did not answer", unanswered=1))

    respond, fates = played(world)

    assert got(world) == {**ONCE, "team-chat": 2}
    assert fates["team-chat"].state is DeliveryState.UNSURE
    assert not respond.failed


def test_a_pager_that_never_answers_is_asked_on_under_the_same_key(world: World):
    world.channels.after["pager"] = failing(ChannelDownError("PagerDuty did not answer", unanswered=1))

    _, fates = played(world)

    assert got(world) == {**ONCE, "pager": 1 + RETRIES}
    assert len({page.body["dedup_key"] for page in world.channels.to("pager")}) == 1
    assert fates["pager"].state is DeliveryState.DOWN


def test_a_mistake_of_ours_in_one_channel_is_loud_but_the_others_are_told(
    world: World, capsys: pytest.CaptureFixture[str]
):
    secret = "https://hooks.example/services/T0/B0/secret"
    world.channels.before["team-chat"] = failing(ValueError(f"unknown url type: {secret}"))

    respond, fates = played(world)

    assert got(world) == {**ONCE, "team-chat": 0}
    assert re.fullmatch(r"unexpected ValueError at fail, line \d+", fates["team-chat"].why)
    assert respond.failed  # raises an alarm of its own
    assert secret not in capsys.readouterr().out


# -- all channels are dead


def test_where_nobody_can_be_told_the_execution_fails_openly(world: World):
    for key in CHANNELS:
        world.channels.before[key] = failing(ChannelDownError(f"{key} is down"))

    respond, fates = played(world)

    assert {d.sends for d in fates.values()} == {1 + RETRIES}
    assert (respond.visited[-1], respond.failed) == ("Fail openly", True)
    assert respond.visited.count(TELL) == 1  # repeated inside the state


def test_where_every_channel_refuses_nothing_is_repeated(world: World):
    for key in CHANNELS:
        world.channels.before[key] = failing(BadInputError("notice", "no"))

    respond, fates = played(world)

    assert {(d.state, d.sends) for d in fates.values()} == {(DeliveryState.REFUSED, 1)}
    assert (respond.visited[-1], respond.failed) == ("Fail openly", True)


def test_one_channel_that_comes_back_is_enough(world: World):
    for key in CHANNELS:
        world.channels.before[key] = failing(ChannelDownError(f"{key} is down"))
    world.channels.before["own"] = failing(ChannelDownError("own is down"), RETRIES)

    respond, _ = played(world)

    assert got(world) == {**dict.fromkeys(CHANNELS, 0), "own": 1}
    assert (respond.visited[-1], respond.failed) == ("Told in part", False)


# -- the room is repeated


def test_a_repeated_room_tells_nobody_twice(world: World):
    played(world)
    (incident,) = world.workflows.started

    again = handler("tell_people", world)({"incident_id": incident}, CONTEXT)

    assert got(world) == ONCE
    assert again == {"told": list(CHANNELS), "not_told": {}}


def test_a_repeated_room_sends_only_what_has_not_arrived(world: World):
    world.channels.before["pager"] = failing(ChannelDownError("PagerDuty answered 503"), 1)

    played(world)

    assert got(world) == ONCE
    assert [key for key, _ in world.channels.sent][-1] == "pager"


def notes_of(world: World) -> list[int]:
    """Numbers of the calls to store.note in a play of the whole scene."""
    played(world)
    return [number for number, call in enumerate(world.fuse.calls) if call == "store.note"]


def fresh() -> World:
    world = World(workload(notifications={"channels": CHANNELS}))
    world.board.switches = Switches(kill_switch=True)
    return world


@pytest.mark.parametrize("error", [CrashedError("died"), SourceDownError("the ledger is down")])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_room_that_dies_at_any_note_costs_one_duplicate_a_channel_at_most(
    before: bool, error: BaseException, subtests: pytest.Subtests
):
    for number in notes_of(fresh()):
        world = fresh()
        world.fuse.blow(number, before=before, error=error)

        respond, fates = played(world)

        with subtests.test(f"note {number}"):
            assert all(1 <= times <= 2 for times in got(world).values())
            assert {d.state for d in fates.values()} == {DeliveryState.TOLD}
            assert not respond.failed


def test_a_room_that_dies_each_time_stops_telling(world: World):
    """Slack takes the notice, and then the function runs out of memory."""
    world.channels.after["team-chat"] = failing(CrashedError("out of memory"))

    _, fates = played(world)

    assert got(world)["team-chat"] == 2
    assert fates["team-chat"].state is DeliveryState.UNSURE
    # The pager is asked on: PagerDuty merges repeats by their key.
    assert all(1 <= times <= 2 for channel, times in got(world).items() if channel != "pager")


def test_it_is_on_record_that_a_notice_is_on_its_way_before_it_is(world: World):
    seen: list[DeliveryState] = []

    def look(notice: Notice) -> None:
        (incident,) = world.workflows.started
        seen.extend(d.state for d in deliveries(world.case(incident)) if d.channel == "own")

    world.channels.before["own"] = look

    played(world)

    assert seen == [DeliveryState.SENDING]


# -- it is measured


def metrics(capsys: pytest.CaptureFixture[str], *names: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return [line for line in lines if set(names) & set(line)]


def test_each_send_is_counted_by_the_kind_of_its_channel(world: World, capsys: pytest.CaptureFixture[str]):
    world.channels.before["team-chat"] = failing(ChannelDownError("Slack answered 503"), 1)

    played(world)

    names = ("NoticesSent", "NoticesFailed")
    counted = [(next(n for n in names if n in m), m["channel"]) for m in metrics(capsys, *names)]
    assert sorted(counted) == [
        ("NoticesFailed", "slack"),
        ("NoticesSent", "pagerduty"),
        ("NoticesSent", "slack"),
        ("NoticesSent", "sns"),
        ("NoticesSent", "webhook"),
    ]


def test_a_count_is_kept_in_total_and_by_kind(world: World, capsys: pytest.CaptureFixture[str]):
    played(world)

    for line in metrics(capsys, "NoticesSent"):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Dimensions"] == [["service"], ["service", "channel"]]
        assert (line["service"], line["NoticesSent"]) == ("selfright", [1.0])
