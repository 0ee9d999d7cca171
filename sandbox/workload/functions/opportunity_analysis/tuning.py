"""Settings that go out with a release, in place of those in Parameter Store: one AppConfig document."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .deployed import latest
from .errors import ConfigurationError
from .telemetry import log

_last: dict[str, Any] = {}


def current() -> dict[str, Any]:
    """What is tuned; as before where it cannot be read. Raises ConfigurationError where it is no object."""
    global _last  # noqa: PLW0603 - one execution environment serves many requests
    try:
        content = latest("tuning")
    except (BotoCoreError, ClientError) as error:
        log("WARNING", f"tuning: {error}; {_last} stays")
        return _last
    try:
        document = json.loads(content or b"{}")
    except ValueError as error:
        raise ConfigurationError(f"tuning: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ConfigurationError("tuning: must be an object")
    _last = document
    return _last
