"""Any service that takes a JSON document by POST; docs/notifications.md has its fields."""

from __future__ import annotations

from selfright.adapters.https import TIMEOUT, accept, post_json
from selfright.adapters.secrets import ChannelSecrets
from selfright.domain.notice import Notice


class WebhookChannel:
    """Its secret has the field `url`. Nothing of the answer's text is told: it may quote the address."""

    def __init__(self, secrets: ChannelSecrets, timeout: float = TIMEOUT) -> None:
        self._secrets, self._timeout = secrets, timeout

    def send(self, notice: Notice) -> None:
        url = self._secrets.url(self._secrets.read())
        accept("the webhook", post_json("the webhook", url, notice.body, self._timeout))
