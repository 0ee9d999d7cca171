"""Users of the sample workload: analyses at a steady rate, counted by how they went."""

from __future__ import annotations

import json
import math
import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from botocore.exceptions import ClientError

from sandbox.senders import Senders
from sandbox.server import Server

CONCURRENCY = 3  # of the five that the development environment has; the rest is for whoever looks after it
NORMAL_RATE = 0.6  # analyses per sandbox second: 60 % of the development table's write capacity

_OK = 200
_READ_TIMEOUT = 65.0  # seconds of the wall: a call ends at the function's timeout of 60 s at the latest
_BEHIND = 0.1  # share of requests that may go unsent before the generator counts as falling behind

_OPPORTUNITIES = 400  # spread over the table's key space, as users are: no partition gets hot
_SESSIONS = 40
_WITHOUT_CEILING = 0.3  # share of the opportunities that publish none
_AGENCIES = ("Department of Energy", "Department of Veterans Affairs", "General Services Administration")
_WORK = (
    ("Cloud migration of legacy case records", "541512"),
    ("Network operations and on-site support", "541513"),
    ("Custom analytics for grant programmes", "541511"),
    ("Records digitisation and archive services", "518210"),
)


@dataclass(frozen=True)
class Call:
    """How one analysis ended. `error`: the class it failed with. `throttled`: it failed for lack of capacity."""

    milliseconds: float  # of the wall
    error: str | None = None
    throttled: bool = False


@dataclass(frozen=True)
class Counts:
    """The calls of a stretch of time. `missed`: not sent when they were due, because all senders were busy."""

    calls: tuple[Call, ...]
    missed: int
    sandbox_seconds: float

    @property
    def total(self) -> int:
        return len(self.calls)

    @property
    def ok(self) -> int:
        return self.total - self.failed

    @property
    def failed(self) -> int:
        return sum(call.error is not None for call in self.calls)

    @property
    def throttled(self) -> int:
        return sum(call.throttled for call in self.calls)

    @property
    def errors(self) -> dict[str, int]:
        """How many calls failed with which error, the most frequent first."""
        return dict(Counter(call.error for call in self.calls if call.error).most_common())

    @property
    def achieved_rate(self) -> float:
        """Calls per sandbox second."""
        return self.total / self.sandbox_seconds if self.sandbox_seconds else 0.0

    @property
    def keeps_up(self) -> bool:
        """Whether nearly everything that was due was sent."""
        return self.missed <= _BEHIND * (self.total + self.missed)

    def percentile_ms(self, percent: float) -> float | None:
        """Nearest-rank percentile of the latencies, in milliseconds of the wall; None without a call."""
        ranked = sorted(call.milliseconds for call in self.calls)
        return ranked[max(1, math.ceil(len(ranked) * percent / 100)) - 1] if ranked else None

    def since(self, earlier: Counts) -> Counts:
        """Only what came after `earlier`, an older look at the same traffic."""
        return Counts(
            self.calls[earlier.total :],
            self.missed - earlier.missed,
            self.sandbox_seconds - earlier.sandbox_seconds,
        )


class Traffic:
    """Sends analyses to `function`'s live alias while the `with` block runs.

    Nothing raises out of the senders; what goes wrong is counted.
    """

    def __init__(
        self, server: Server, function: str, rate_per_sandbox_second: float = NORMAL_RATE, *, seed: int = 0
    ) -> None:
        self._server = server
        self._function = function
        self._lambda = server.client(
            "lambda",
            max_pool_connections=CONCURRENCY,
            read_timeout=_READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": 1},
        )
        self._dice = random.Random(seed)  # noqa: S311 - which users ask for what is no secret
        self._rate = rate_per_sandbox_second
        self._began = time.monotonic()
        self._calls: list[Call] = []
        self._senders = Senders(CONCURRENCY, self._request, self._send_and_count)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self.rate = self._rate
        self._senders.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop and wait for the calls under way."""
        self._senders.__exit__()

    @property
    def rate(self) -> float:
        """Analyses per sandbox second; may be set at any time, 0 pauses."""
        return self._rate

    @rate.setter
    def rate(self, per_sandbox_second: float) -> None:
        self._rate = per_sandbox_second
        self._senders.pace(per_sandbox_second * self._server.scale)

    def counts(self) -> Counts:
        """All so far; the difference of two looks is `later.since(earlier)`."""
        seconds = (time.monotonic() - self._began) * self._server.scale
        return Counts(tuple(self._calls), self._senders.missed, seconds)

    def _request(self) -> bytes:
        session = f"session-{self._dice.randrange(_SESSIONS)}"
        return json.dumps(
            {"session_id": session, "opportunity": opportunity(self._dice.randrange(_OPPORTUNITIES))}
        ).encode()

    def _send_and_count(self, request: bytes) -> None:
        self._calls.append(self._send(request))

    def _send(self, request: bytes) -> Call:
        began = time.monotonic()
        error, throttled = self._invoke(request)
        return Call((time.monotonic() - began) * 1000, error, throttled)

    def _invoke(self, request: bytes) -> tuple[str | None, bool]:
        """The error's class, None if it went well, and whether it was for lack of capacity."""
        try:
            answer = self._lambda.invoke(FunctionName=self._function, Qualifier="live", Payload=request)
            payload = json.load(answer["Payload"])
            if answer.get("FunctionError"):
                return payload.get("errorType", "Unknown"), False
            if payload["statusCode"] != _OK:
                return payload["error"], payload.get("throttled", False)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return code, code == "TooManyRequestsException"
        except Exception as error:  # noqa: BLE001 - a user whose call breaks in any way is one failed call
            return type(error).__name__, False
        return None, False


def opportunity(number: int) -> dict[str, Any]:
    """The opportunity of that number: always the same one."""
    dice = random.Random(number)  # noqa: S311 - see above
    title, naics = dice.choice(_WORK)
    made: dict[str, Any] = {
        "id": f"OPP-{number:05d}",
        "title": title,
        "agency": dice.choice(_AGENCIES),
        "naics": naics,
        "description": f"{title}, lot {number}, for {dice.randint(2, 40)} offices over five years.",
    }
    if dice.random() >= _WITHOUT_CEILING:
        made["ceiling"] = dice.randint(5, 400) * 100_000
    return made
