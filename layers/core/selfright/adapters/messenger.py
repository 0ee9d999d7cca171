"""SNS: tell people, where no workflow runs that would."""

from __future__ import annotations

from selfright.adapters.aws import Aws, translated
from selfright.domain.manifest import ChannelType
from selfright.domain.notice import Notice, notice
from selfright.domain.release import LogLine, Release
from selfright.domain.release.notice import release_notice
from selfright.domain.report import Report


class SnsMessenger:
    def __init__(self, aws: Aws, topic_arn: str) -> None:
        self._aws, self._topic = aws, topic_arn

    def tell(self, report: Report) -> None:
        self._publish(notice(ChannelType.SNS, report, paged=False), report.headline)

    def tell_of(self, release: Release, line: LogLine) -> None:
        self._publish(release_notice(ChannelType.SNS, release, line), f"{release.id} {line.text}")

    def _publish(self, made: Notice | None, about: str) -> None:
        if made is None:
            return
        with translated(f"telling people: {about}"):
            self._aws.client("sns").publish(TopicArn=self._topic, **made.body)
