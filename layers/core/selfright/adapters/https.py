"""POST one JSON document, and what an answer to it means."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import IO, Any, NamedTuple

from selfright.domain.errors import BadInputError, ChannelDownError

# Seconds for connecting, and again for every wait for bytes. All channels of a room wait at the same time.
TIMEOUT = 5.0
LONGEST_ANSWER = 2000  # bytes; the rest is nobody's business

_REQUEST_TIMEOUT, _TOO_MANY_REQUESTS, _SERVER_ERRORS = 408, 429, 500


class Answer(NamedTuple):
    status: int
    text: str


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET elsewhere, and a 200 from there would mean nothing."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post_json(service: str, url: str, document: dict[str, Any], timeout: float = TIMEOUT) -> Answer:
    """The answer of `service` at `url`, which must have been looked at (see ChannelSecrets.url).

    Raises ChannelDownError where there is none.
    """
    headers = {"Content-Type": "application/json", "User-Agent": "selfright"}
    request = urllib.request.Request(url, json.dumps(document).encode(), headers, method="POST")  # noqa: S310 - https
    with no_answer_is_down(service):
        try:
            answer: IO[bytes]
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout) as answer:
                return Answer(answer.status, _text(answer))  # type: ignore[attr-defined]
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _text(error))


@contextmanager
def no_answer_is_down(service: str) -> Iterator[None]:
    """Turn every way in which a request stays without an answer into ChannelDownError.

    urllib wraps what fails before the request is out into URLError; what comes after it, comes as it is. Only the
    kind of a failure is told: its message may quote the address, which is a secret.
    """
    try:
        yield
    except urllib.error.URLError as error:
        why = type(error.reason).__name__ if isinstance(error.reason, Exception) else "URLError"
        raise ChannelDownError(f"{service} cannot be reached ({why})") from None
    except (OSError, HTTPException) as error:
        why = type(error).__name__
        raise ChannelDownError(f"{service} did not answer ({why})", unanswered=1) from None


def accept(service: str, answer: Answer, *, said: str = "") -> None:
    """Return where the service took the document. `said`: what of its answer may be told.

    Raises ChannelDownError where it may take it later, BadInputError where it never will.
    """
    told = f"{service} answered {answer.status}" + (f": {said}" if said else "")
    if 200 <= answer.status < 300:  # noqa: PLR2004
        return
    if answer.status in {_REQUEST_TIMEOUT, _TOO_MANY_REQUESTS} or answer.status >= _SERVER_ERRORS:
        raise ChannelDownError(told)
    raise BadInputError("notice", f"must be one that the service takes ({told})")


def _text(answer: IO[bytes]) -> str:
    return answer.read(LONGEST_ANSWER).decode(errors="replace")
