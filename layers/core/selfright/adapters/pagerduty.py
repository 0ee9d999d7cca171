"""PagerDuty's Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview"""

from __future__ import annotations

import json

from selfright.adapters.https import TIMEOUT, accept, post_json
from selfright.adapters.secrets import ChannelSecrets
from selfright.domain.notice import Notice

ENQUEUE = "https://events.pagerduty.com/v2/enqueue"


class PagerDutyChannel:
    """Its secret has the field `routing_key`, and `url` where events go elsewhere, as in PagerDuty's EU region."""

    def __init__(self, secrets: ChannelSecrets, timeout: float = TIMEOUT) -> None:
        self._secrets, self._timeout = secrets, timeout

    def send(self, notice: Notice) -> None:
        fields = self._secrets.read()
        key = self._secrets.text(fields, "routing_key")
        url = self._secrets.url(fields, default=ENQUEUE)
        answer = post_json("PagerDuty", url, {**notice.body, "routing_key": key}, self._timeout)
        accept("PagerDuty", answer, said=_errors(answer.text).replace(key, "***"))


def _errors(text: str) -> str:
    """What PagerDuty finds wrong with an event: `{"status": "invalid event", "errors": [...]}`."""
    try:
        errors = json.loads(text)["errors"]
        return ", ".join(str(error) for error in errors)[:200]
    except (ValueError, KeyError, TypeError):
        return ""
