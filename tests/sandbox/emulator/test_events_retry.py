"""EventBridge's retry policy, step by step, with a clock that only moves when something sleeps."""

from __future__ import annotations

import pytest

from sandbox.emulator.events_retry import DeliveryError, GivenUp, RetryPolicy, deliver

BUSY = DeliveryError("THROTTLING", "slow down", retriable=True)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.pauses.append(seconds)


class Target:
    """Refuses as often as told, then accepts."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.accepted = 0

    def __call__(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise BUSY
        self.accepted += 1


def run(target: Target, policy: RetryPolicy, clock: Clock, error: DeliveryError = BUSY) -> GivenUp | None:
    return deliver(target, policy, now=clock.now, sleep=clock.sleep, first_error=error, began=0.0)


def test_a_target_that_recovers_gets_the_event_once():
    target, clock = Target(refusals=3), Clock()

    given_up = run(target, RetryPolicy(), clock)

    assert given_up is None
    assert target.accepted == 1


def test_pauses_grow_and_are_jittered():
    clock = Clock()

    run(Target(refusals=3), RetryPolicy(), clock)

    assert [full / 2 <= pause <= full for pause, full in zip(clock.pauses, (1, 2, 4, 8), strict=True)] == [
        True
    ] * 4


def test_after_the_allowed_retries_the_event_is_given_up():
    given_up = run(Target(refusals=99), RetryPolicy(max_attempts=4), Clock())

    assert given_up == GivenUp("THROTTLING", "slow down", retries=4, exhausted="MaximumRetryAttempts")


def test_an_event_that_would_be_too_old_is_given_up():
    clock = Clock()

    given_up = run(Target(refusals=99), RetryPolicy(max_age=60.0), clock)

    assert given_up is not None
    assert given_up.exhausted == "MaximumEventAgeInSeconds"
    assert clock.seconds <= 60.0


@pytest.mark.parametrize("code", ["NO_RESOURCE", "NO_PERMISSIONS"])
def test_what_no_retry_can_mend_is_not_retried(code: str):
    target, clock = Target(refusals=0), Clock()

    given_up = run(target, RetryPolicy(), clock, DeliveryError(code, "gone"))

    assert given_up == GivenUp(code, "gone", retries=0, exhausted=None)
    assert (target.accepted, clock.pauses) == (0, [])


def test_a_target_may_allow_fewer_retries_than_aws_does_by_default():
    declared = {"RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}}

    assert RetryPolicy.of({}) == RetryPolicy(max_attempts=185, max_age=86400.0)
    assert RetryPolicy.of(declared) == RetryPolicy(max_attempts=0, max_age=60.0)
