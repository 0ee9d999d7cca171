"""Slack's incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""

from __future__ import annotations

import logging
from typing import Any

from selfright.adapters.https import TIMEOUT, Answer, accept, no_answer_is_down
from selfright.adapters.secrets import ChannelSecrets
from selfright.domain.errors import BadInputError
from selfright.domain.notice import Notice

# At its debug level slack_sdk logs addresses, and whoever knows one can post.
_SILENT = logging.getLogger("selfright.slack")
_SILENT.setLevel(logging.CRITICAL + 1)


class SlackChannel:
    """Its secret has the field `url`, or it is not there at all."""

    def __init__(self, secrets: ChannelSecrets, timeout: float = TIMEOUT) -> None:
        self._secrets, self._timeout = secrets, timeout

    def send(self, notice: Notice) -> None:
        from slack_sdk.webhook import WebhookClient  # 130 ms to import

        url = self._secrets.url(self._secrets.read())
        # Its own retries would repeat what may have arrived, without our knowing.
        seconds: Any = self._timeout  # declared as int, and handed to the socket, which takes fractions
        client = WebhookClient(url, timeout=seconds, logger=_SILENT, retry_handlers=[])
        with no_answer_is_down("Slack"):
            response = client.send_dict(notice.body)
        # Slack's answers are one word, `ok` or such as `invalid_payload`; anything else is not from Slack.
        word = response.body.strip()
        said = word if word.isidentifier() and len(word) < 50 else ""  # noqa: PLR2004
        accept("Slack", Answer(response.status_code, word), said=said)
        if word != "ok":
            raise BadInputError(
                "notice", "must go to an incoming webhook (its address does not answer as Slack's do)"
            )
