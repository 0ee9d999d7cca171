"""What people are told of a release, once each, through every channel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from selfright.domain.errors import BadInputError, ChannelDownError, NobodyToldError
from selfright.domain.manifest import ChannelType
from selfright.domain.notice import Notice
from selfright.domain.release import LogLine, Milestone, Release, ReleaseFile, ReleaseStatus, StopReason
from selfright.domain.release.notice import news, release_notice
from selfright.domain.release.steps import ReleaseTold, in_words
from selfright.usecases.tell_release import tell_release
from tests.unit.usecases.release_world import NOW, ReleaseWorld, manifest, request

RELEASE = Release(request=request(), requested_at=NOW)


def line(key: str, milestone: Milestone, seconds: int = 0, text: str = "25 % <of> them") -> LogLine:
    return LogLine(key=key, at=NOW + timedelta(seconds=seconds), milestone=milestone, text=text)


SHIFTED = line("shifted-01", Milestone.SHIFTED)


def tell(world: ReleaseWorld) -> ReleaseTold:
    return tell_release(
        "shop-42",
        workloads=world.workloads,
        releases=world.ledger,
        channels=world.channels,
        clock=world.clock,
        count=lambda *_, **__: None,
    )


def raising(error: Exception) -> Callable[[Notice], None]:
    def send(notice: Notice) -> None:
        raise error

    return send


def test_the_newest_line_that_concerns_people_is_told():
    log = (SHIFTED, line("judged-01-0", Milestone.JUDGED, 5), line("told-x", Milestone.TOLD, 6))

    assert news(ReleaseFile(release=RELEASE, log=log)) == SHIFTED
    assert news(ReleaseFile(release=RELEASE)) is None


def test_a_notice_in_the_format_of_each_channel():
    mail, chat, hook = (
        release_notice(kind, RELEASE, SHIFTED)
        for kind in (ChannelType.SNS, ChannelType.SLACK, ChannelType.WEBHOOK)
    )

    assert mail is not None
    assert mail.body["Subject"] == "shop-42: shifted, shop development"
    assert "What happened: 25 % <of> them\n" in mail.body["Message"]
    assert chat is not None
    assert chat.body["text"].endswith("25 % &lt;of&gt; them")
    assert hook is not None
    assert (hook.body["id"], hook.body["milestone"]) == ("shop-42-shifted-01", "shifted")


@pytest.mark.parametrize("status", list(ReleaseStatus))
def test_a_pager_wakes_people_only_for_a_roll_back_that_failed(status: ReleaseStatus):
    release = RELEASE.but(status=status, stop=StopReason.STEP_FAILED)

    page = release_notice(ChannelType.PAGERDUTY, release, SHIFTED)

    assert (page is not None) is (status is ReleaseStatus.ROLLBACK_FAILED)


def test_a_repeated_room_tells_only_whoever_was_not_told():
    world = ReleaseWorld()
    world.ask()
    world.ledger.note("shop-42", SHIFTED)

    assert tell(world) == ReleaseTold(told=("topic",), not_told={})
    assert tell(world) == ReleaseTold(told=(), not_told={})
    assert len(world.channels.to("topic")) == 1


@pytest.mark.parametrize(
    ("down", "error"),
    [(("team-chat",), ChannelDownError), (("topic", "team-chat"), NobodyToldError)],
)
def test_a_dead_channel_blocks_no_other_and_is_tried_again(down: tuple[str, ...], error: type[Exception]):
    chat = {"channels": {"team-chat": {"type": "slack", "secret": "shop/slack"}}}
    workload = manifest()
    notifications = type(workload.notifications).model_validate(chat)
    world = ReleaseWorld(workload.model_copy(update={"notifications": notifications}))
    world.ask()
    world.ledger.note("shop-42", SHIFTED)
    for channel in down:
        world.channels.before[channel] = raising(ChannelDownError("no answer"))

    with pytest.raises(error):
        tell(world)
    world.channels.before.clear()

    assert set(tell(world).told) == set(down)
    assert {channel: len(world.channels.to(channel)) for channel in ("topic", "team-chat")} == {
        "topic": 1,
        "team-chat": 1,
    }


def test_a_channel_that_will_never_take_it_is_named():
    world = ReleaseWorld()
    world.ask()
    world.ledger.note("shop-42", SHIFTED)
    world.channels.before["topic"] = raising(BadInputError("notifications.topic", "must take notices"))

    assert tell(world).not_told == {"topic": "notifications.topic: must take notices"}


@pytest.mark.parametrize(
    ("caught", "words"),
    [
        ('RefusedError: {"errorMessage": "it differs", "stackTrace": ["..."]}', "RefusedError: it differs"),
        ("States.Timeout: the state took too long", "States.Timeout: the state took too long"),
        ("Lambda.Unknown: {half of a", "Lambda.Unknown: {half of a"),
        ('X: ["a list"]', 'X: ["a list"]'),
        ("none", "none"),
    ],
)
def test_a_failure_is_told_without_its_stack_trace(caught: str, words: str):
    assert in_words(caught) == words
