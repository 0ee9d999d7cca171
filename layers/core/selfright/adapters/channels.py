"""The manifest's channels, each by its kind."""

from __future__ import annotations

from selfright.adapters.aws import Aws
from selfright.adapters.pagerduty import PagerDutyChannel
from selfright.adapters.secrets import ChannelSecrets
from selfright.adapters.slack import SlackChannel
from selfright.adapters.sns import SnsChannel
from selfright.adapters.webhook import WebhookChannel
from selfright.domain import manifest
from selfright.domain.manifest import ChannelType, Workload
from selfright.ports import Channel


class ManifestChannels:
    """`alerts_topic_arn`: the deployed topic; a manifest names its own, which is of the same account and region."""

    def __init__(self, aws: Aws, alerts_topic_arn: str) -> None:
        self._aws, self._alerts_topic_arn = aws, alerts_topic_arn

    def open(self, workload: Workload, key: str) -> Channel:
        way = workload.notifications.ways[key]
        if isinstance(way, manifest.SnsChannel):
            place = self._alerts_topic_arn.rpartition(":")[0]
            return SnsChannel(self._aws, f"{place}:{workload.notifications.topic}")
        secrets = ChannelSecrets(self._aws, way.secret)
        match way.type:
            case ChannelType.SLACK:
                return SlackChannel(secrets)
            case ChannelType.PAGERDUTY:
                return PagerDutyChannel(secrets)
            case ChannelType.WEBHOOK:
                return WebhookChannel(secrets)
