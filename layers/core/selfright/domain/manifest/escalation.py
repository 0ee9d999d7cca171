"""Who is told, through which channel, and who is called next when nobody answers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from selfright.domain.manifest.section import Key, Minutes, PhysicalName, Section, Text

TOPIC = "topic"  # how the topic is called where the manifest gives it no channel of its own


class ChannelType(StrEnum):
    """A way to reach people."""

    SNS = "sns"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    WEBHOOK = "webhook"


class SnsChannel(Section):
    """Subscribers of the workload's topic: e-mail, SMS, queues."""

    type: Literal[ChannelType.SNS]


class SecretChannel(Section):
    """A service whose address is a credential, so the manifest only says where it is kept."""

    type: Literal[ChannelType.SLACK, ChannelType.PAGERDUTY, ChannelType.WEBHOOK]
    secret: PhysicalName = Field(description="Name in Secrets Manager of its URL or integration key.")


Channel = Annotated[SnsChannel | SecretChannel, Field(discriminator="type")]


class Notifications(Section):
    topic: PhysicalName = Field(
        default="{workload}-alerts", description="SNS topic that every notice goes to."
    )
    channels: Mapping[Key, Channel] = {}

    @property
    def ways(self) -> Mapping[str, Channel]:
        """Every way that a notice goes: the channels, and the topic also where no channel speaks of it."""
        if any(channel.type is ChannelType.SNS for channel in self.channels.values()):
            return self.channels
        return {TOPIC: SnsChannel(type=ChannelType.SNS), **self.channels}


class EscalationLevel(Section):
    """One rung of the ladder."""

    level: Annotated[int, Field(strict=True, ge=1, le=3)]
    who: Text
    answer_within_minutes: Minutes = Field(description="Silence for longer calls the next level.")
    channels: Annotated[tuple[Key, ...], Field(min_length=1)] = Field(
        description="Keys of notifications.channels."
    )


class Escalation(Section):
    levels: Annotated[tuple[EscalationLevel, ...], Field(max_length=3)] = ()
