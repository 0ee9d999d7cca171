"""A queue that is subscribed to a topic like somebody's e-mail address."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

from sandbox.server import Server


class Inbox:
    """Keeps what the topic sends while the `with` block runs."""

    def __init__(self, server: Server, topic_arn: str) -> None:
        self._sqs, self._sns = server.client("sqs"), server.client("sns")
        self._topic_arn = topic_arn

    def __enter__(self) -> Self:
        self._queue = self._sqs.create_queue(QueueName="inbox")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": self._policy(arn)})
        self._subscription = self._sns.subscribe(
            TopicArn=self._topic_arn,
            Protocol="sqs",
            Endpoint=arn,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._sns.unsubscribe(SubscriptionArn=self._subscription)
        self._sqs.delete_queue(QueueUrl=self._queue)

    def _policy(self, queue_arn: str) -> str:
        """Where IAM is enforced, as on AWS, a topic may send to a queue only if the queue says so."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self._topic_arn}},
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def about(self, incident_id: str) -> list[dict[str, Any]]:
        """Messages since the last look that name the incident: Subject, Message and so on."""
        found = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        messages = [json.loads(message["Body"]) for message in found.get("Messages", ())]
        return [message for message in messages if incident_id in message["Message"]]

    def drain(self) -> list[dict[str, Any]]:
        """Everything that came since the last look, without waiting for more."""
        messages: list[dict[str, Any]] = []
        while found := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            messages += [json.loads(message["Body"]) for message in found]
            entries = [{"Id": m["MessageId"], "ReceiptHandle": m["ReceiptHandle"]} for m in found]
            self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries)
        return messages
