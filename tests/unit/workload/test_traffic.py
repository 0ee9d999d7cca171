from __future__ import annotations

import io
import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from sandbox.traffic import Call, Counts, Traffic, opportunity
from sandbox.workload.functions.opportunity_analysis.opportunity import Opportunity

from .conftest import refusal


class FakeLambda:
    """Answers every invocation with `answer`, an exception or a payload; notes what it was sent."""

    def __init__(self, answer: Any, error: str | None = None) -> None:
        self.answer = answer
        self.error = error
        self.sent: list[dict[str, Any]] = []
        self.called = threading.Event()

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        self.sent.append(arguments)
        self.called.set()
        if isinstance(self.answer, Exception):
            raise self.answer
        answer = {"Payload": io.BytesIO(json.dumps(self.answer).encode())}
        return answer | ({"FunctionError": self.error} if self.error else {})


def users_of(function: FakeLambda, rate: float = 1.0, scale: float = 10.0) -> Traffic:
    server: Any = SimpleNamespace(scale=scale, client=lambda _service, **_config: function)
    return Traffic(server, "orchestrator", rate)


OK = {"statusCode": 200}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (FakeLambda(OK), (None, False)),
        (
            FakeLambda({"statusCode": 503, "error": "ModelUnavailableError", "throttled": False}),
            ("ModelUnavailableError", False),
        ),
        (
            FakeLambda({"statusCode": 503, "error": "ResultNotStoredError", "throttled": True}),
            ("ResultNotStoredError", True),
        ),
        (FakeLambda({"statusCode": 400, "error": "BadRequestError"}), ("BadRequestError", False)),
        (FakeLambda({"errorType": "TypeError"}, "Unhandled"), ("TypeError", False)),
        (FakeLambda(refusal("TooManyRequestsException")), ("TooManyRequestsException", True)),
        (FakeLambda(refusal("ServiceException")), ("ServiceException", False)),
        (FakeLambda(ConnectionClosedError(endpoint_url="http://x")), ("ConnectionClosedError", False)),
        (FakeLambda("not an answer"), ("TypeError", False)),
    ],
)
def test_each_call_is_counted_by_how_it_ended(function: FakeLambda, expected: tuple[str | None, bool]):
    call = users_of(function)._send(b"{}")

    assert (call.error, call.throttled) == expected
    assert call.milliseconds >= 0


def test_users_ask_the_live_alias_until_the_traffic_stops():
    function = FakeLambda(RuntimeError("anything"))

    with users_of(function, rate=10.0, scale=100.0) as users:
        assert function.called.wait(5)

    after = users.counts()
    assert after.total == after.failed == len(function.sent) > 0
    assert after.errors == {"RuntimeError": after.total}
    assert {(sent["FunctionName"], sent["Qualifier"]) for sent in function.sent} == {("orchestrator", "live")}


def test_the_rate_can_be_changed_and_paused_while_it_runs():
    function = FakeLambda(OK)

    with users_of(function, rate=0.0) as users:
        assert users.counts().total == 0
        users.rate = 50.0
        assert function.called.wait(5)

    assert users.rate == 50.0


def test_counts_tell_rates_percentiles_and_what_came_since():
    calls = tuple(Call(float(n), "E" if n > 8 else None, throttled=n == 10) for n in range(1, 11))
    counts = Counts(calls, missed=1, sandbox_seconds=20.0)

    assert (counts.total, counts.ok, counts.failed, counts.throttled) == (10, 8, 2, 1)
    assert (counts.achieved_rate, counts.keeps_up, counts.errors) == (0.5, True, {"E": 2})
    assert (counts.percentile_ms(50), counts.percentile_ms(95), counts.percentile_ms(0)) == (5.0, 10.0, 1.0)
    since = counts.since(Counts(calls[:8], missed=0, sandbox_seconds=16.0))
    assert (since.total, since.failed, since.missed, since.sandbox_seconds) == (2, 2, 1, 4.0)
    assert not since.keeps_up
    assert Counts((), 0, 0.0).percentile_ms(95) is None


def test_made_up_opportunities_are_valid_and_three_in_ten_have_no_ceiling():
    made = [Opportunity.parse(opportunity(number)) for number in range(400)]

    assert opportunity(7) == opportunity(7)
    assert len({each.id for each in made}) == 400
    assert sum(each.ceiling is None for each in made) / 400 == pytest.approx(0.3, abs=0.03)
