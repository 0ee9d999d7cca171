"""E-mail and whatever else subscribes to the workload's topic."""

from __future__ import annotations

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import BadInputError, ChannelDownError, SourceDownError
from selfright.domain.notice import Notice

# Nothing but a person changes these: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
_REFUSALS = {"NotFound", "AuthorizationError", "AccessDenied", "InvalidParameter", "InvalidParameterValue"}
# The SDK asks twice (adapters/aws.py), and each time the notice may have been taken.
_SENDS = 2


class SnsChannel:
    def __init__(self, aws: Aws, topic_arn: str) -> None:
        self._aws, self._topic_arn = aws, topic_arn

    def send(self, notice: Notice) -> None:
        doing = f"publishing to topic {self._topic_arn.rpartition(':')[2]}"
        try:
            with translated(doing):
                self._aws.client("sns").publish(TopicArn=self._topic_arn, **notice.body)
        except SourceDownError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in _REFUSALS:
                raise BadInputError("notifications.topic", f"must take notices ({error})") from cause
            unanswered = _SENDS if isinstance(cause, (ReadTimeoutError, ConnectionClosedError)) else 0
            raise ChannelDownError(str(error), unanswered=unanswered) from cause
