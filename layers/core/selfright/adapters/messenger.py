"""SNS: tell people."""

from __future__ import annotations

from selfright.adapters.aws import Aws, translated
from selfright.domain.steps import Message


class SnsMessenger:
    def __init__(self, aws: Aws, topic_arn: str) -> None:
        self._aws, self._topic = aws, topic_arn

    def tell(self, message: Message) -> None:
        with translated(f"telling people: {message.subject}"):
            self._aws.client("sns").publish(
                TopicArn=self._topic, Subject=message.subject, Message=message.text
            )
