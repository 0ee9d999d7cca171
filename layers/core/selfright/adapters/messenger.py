"""SNS: tell people, where no workflow runs that would."""

from __future__ import annotations

from selfright.adapters.aws import Aws, translated
from selfright.domain.manifest import ChannelType
from selfright.domain.notice import notice
from selfright.domain.report import Report


class SnsMessenger:
    def __init__(self, aws: Aws, topic_arn: str) -> None:
        self._aws, self._topic = aws, topic_arn

    def tell(self, report: Report) -> None:
        made = notice(ChannelType.SNS, report, paged=False)
        if made is None:
            return
        with translated(f"telling people: {report.headline}"):
            self._aws.client("sns").publish(TopicArn=self._topic, **made.body)
