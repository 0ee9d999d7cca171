"""EventBridge's retry policy: what is tried again, when, and with which words an event is given up."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAX_ATTEMPTS = 185  # retries, beside the first try
MAX_AGE = 24 * 3600.0  # seconds
FIRST_PAUSE = 1.0  # seconds; AWS does not publish its pauses, only that they grow and are jittered
LONGEST_PAUSE = 600.0


class DeliveryError(Exception):
    """A target did not take an event. `code` is one of AWS's ERROR_CODE words.

    Without `retriable` (no such resource, no permission, bad parameter) AWS does not try again.
    """

    def __init__(self, code: str, message: str, *, retriable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retriable = retriable


@dataclass(frozen=True)
class RetryPolicy:
    max_attempts: int = MAX_ATTEMPTS
    max_age: float = MAX_AGE

    @classmethod
    def of(cls, target: dict[str, Any]) -> RetryPolicy:
        """The policy a rule's target declares; AWS's defaults where it is silent."""
        declared = target.get("RetryPolicy") or {}
        return cls(
            max_attempts=int(declared.get("MaximumRetryAttempts", MAX_ATTEMPTS)),
            max_age=float(declared.get("MaximumEventAgeInSeconds", MAX_AGE)),
        )


@dataclass(frozen=True)
class GivenUp:
    """An event that will not be delivered. `exhausted` names the limit that was met, if it was one."""

    code: str
    message: str
    retries: int
    exhausted: str | None


def deliver(
    send: Callable[[], None],
    policy: RetryPolicy,
    *,
    now: Callable[[], float],
    sleep: Callable[[float], None],
    first_error: DeliveryError,
    began: float,
) -> GivenUp | None:
    """Repeat `send` after its first failure until it succeeds (None) or the policy ends.

    `now` gives seconds, `sleep` waits as many; `began` is when the first attempt was made.
    """
    error, retries = first_error, 0
    while True:
        if not error.retriable:
            return GivenUp(error.code, error.message, retries, None)
        if retries >= policy.max_attempts:
            return GivenUp(error.code, error.message, retries, "MaximumRetryAttempts")
        pause = random.uniform(0.5, 1.0) * min(FIRST_PAUSE * 2**retries, LONGEST_PAUSE)
        if now() + pause - began > policy.max_age:
            return GivenUp(error.code, error.message, retries, "MaximumEventAgeInSeconds")
        sleep(pause)
        retries += 1
        try:
            send()
        except DeliveryError as again:
            error = again
        else:
            return None
