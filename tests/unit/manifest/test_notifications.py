"""Which ways a notice goes, by the manifest."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.domain.errors import ManifestError
from selfright.domain.manifest import ChannelType
from tests.unit.usecases.world import workload

SLACK = {"type": "slack", "secret": "{workload}/{environment}/slack"}


@pytest.mark.parametrize(
    ("channels", "ways"),
    [
        ({}, {"topic": ChannelType.SNS}),
        ({"team-chat": SLACK}, {"topic": ChannelType.SNS, "team-chat": ChannelType.SLACK}),
        (
            {"team-chat": SLACK, "alerts": {"type": "sns"}},
            {"team-chat": ChannelType.SLACK, "alerts": ChannelType.SNS},
        ),
    ],
)
def test_the_topic_gets_every_notice(channels: dict[str, Any], ways: dict[str, ChannelType]):
    shop = workload(notifications={"channels": channels})

    assert {key: way.type for key, way in shop.notifications.ways.items()} == ways


def test_two_channels_for_the_one_topic_would_tell_everything_twice():
    with pytest.raises(ManifestError) as error:
        workload(notifications={"channels": {"alerts": {"type": "sns"}, "mails": {"type": "sns"}}})

    assert error.value.field == "notifications.channels.mails.type"
    assert error.value.rule == "must not be sns, because channels.alerts is the topic already"


def test_several_channels_of_another_kind_are_fine():
    shop = workload(notifications={"channels": {"team-chat": SLACK, "other-chat": SLACK}})

    assert list(shop.notifications.ways) == ["topic", "team-chat", "other-chat"]


def test_a_channel_may_not_take_the_name_that_the_topic_goes_by():
    with pytest.raises(ManifestError) as error:
        workload(notifications={"channels": {"topic": SLACK}})

    assert error.value.field == "notifications.channels.topic.type"
    assert error.value.rule == "must be sns: so the topic itself is called"
