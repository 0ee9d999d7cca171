"""Addresses and keys of channels, from Secrets Manager. Their values never stand in a message, a log or the ledger."""

from __future__ import annotations

import json
from urllib.parse import SplitResult, urlsplit

from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import BadInputError

_THIS_MACHINE = {"127.0.0.1", "::1", "localhost"}


class ChannelSecrets:
    """One secret: a JSON object of texts. Read anew each time, so that a rotated one works at once."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws, self._name = aws, name

    def read(self) -> dict[str, str]:
        """Raises NotFoundError, BadInputError where it is no JSON object of texts, SourceDownError."""
        with translated(f"reading secret {self._name}"):
            client = self._aws.client("secretsmanager")
            found = client.get_secret_value(SecretId=self._name).get("SecretString", "")
        try:
            fields = json.loads(found)
        except ValueError:
            fields = None
        if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
            raise self._bad("must be a JSON object of texts")
        return fields

    def text(self, fields: dict[str, str], field: str) -> str:
        """A field that the channel cannot do without. Raises BadInputError."""
        if not (value := fields.get(field, "")):
            raise self._bad(f"must have the field {field}")
        return value

    def url(self, fields: dict[str, str], default: str | None = None) -> str:
        """Its field `url`: https, or anything on this very machine.

        Raises BadInputError.
        """
        url = default if default and "url" not in fields else self.text(fields, "url")
        if not _is_web_address(url):
            raise self._bad("must have an https address in the field url")
        return url

    def _bad(self, rule: str) -> BadInputError:
        return BadInputError(f"secret {self._name}", rule)


def _is_web_address(url: str) -> bool:
    # Whatever http.client would refuse it quotes in full: so it is looked at here.
    if not (url.isascii() and url.isprintable() and " " not in url):
        return False
    try:
        parts: SplitResult = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE))
