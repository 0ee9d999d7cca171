"""The boundary of a Lambda function: typed, logged under the incident's id, measured, errors under their names."""

from __future__ import annotations

import gc
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from selfright.domain.errors import BadInputError, DriftedError
from selfright.domain.steps import Closed, CloseInput, Next, Step, StepResult
from selfright.edge.room import Handler, room
from tests.unit.edge.conftest import Lines

CONTEXT = SimpleNamespace(aws_request_id="request-1")
EVENT = {"incident_id": "inc-1", "attempt": 1}


def a_room(calls: Counter[str], *, fails: Exception | None = None) -> Handler:
    @room(Step, calls=lambda: calls)
    def handler(step: Step) -> StepResult:
        calls["dynamodb:GetItem"] += 2
        calls["cloudwatch:DescribeAlarms"] += 1
        if fails:
            raise fails
        return StepResult(next=Next.SETTLE, attempt=step.attempt, wait=300)

    return handler


def test_a_room_answers_plain_json():
    assert a_room(Counter())(EVENT, CONTEXT) == {
        "next": "settle",
        "attempt": 1,
        "status": None,
        "reason": None,
        "wait": 300,
    }


def test_a_step_is_logged_under_its_incident(logged: Lines):
    a_room(Counter())(EVENT, CONTEXT)

    (line,) = logged()
    assert (line["message"], line["correlation_id"], line["service"]) == ("step done", "inc-1", "selfright")
    assert line["result"]["next"] == "settle"


def test_its_aws_calls_are_one_line_of_embedded_metrics(measured: Lines):
    calls: Counter[str] = Counter({"dynamodb:GetItem": 40})  # of earlier invocations
    handler = a_room(calls)

    handler(EVENT, CONTEXT)
    (first,) = measured()
    handler(EVENT, CONTEXT)
    (second,) = measured()

    assert first["AwsCalls"] == second["AwsCalls"] == [3.0]
    (directive,) = first["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Selfright"
    assert directive["Metrics"] == [{"Name": "AwsCalls", "Unit": "Count"}]
    assert directive["Dimensions"] == [["service"]]
    assert first["service"] == "selfright"
    assert isinstance(first["_aws"]["Timestamp"], int)


def test_a_failing_step_goes_out_under_its_own_name_logged_and_measured(logged: Lines, measured: Lines):
    handler = a_room(Counter(), fails=DriftedError("somebody else was there"))

    with pytest.raises(DriftedError, match="somebody else was there"):
        handler(EVENT, CONTEXT)

    (line,) = logged()
    assert (line["level"], line["message"], line["exception_name"]) == (
        "ERROR",
        "step failed",
        "DriftedError",
    )
    assert (line["correlation_id"], line["input"]) == ("inc-1", EVENT)
    assert [m["AwsCalls"] for m in measured()] == [[3.0]]


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"attempt": 1}, "incident_id"),
        ({"incident_id": "inc-1"}, "attempt"),
        ({"incident_id": "inc-1", "attempt": 0}, "attempt"),
        ({"incident_id": "inc-1", "attempt": 1, "typo": 1}, "typo"),
        ("text", "input"),
    ],
)
def test_an_input_that_breaks_a_rule_names_the_field(event: Any, field: str):
    with pytest.raises(BadInputError) as caught:
        a_room(Counter())(event, CONTEXT)

    assert caught.value.field == field


def test_an_input_without_an_incident_is_logged_under_the_request(logged: Lines):
    @room(Closed, calls=dict)
    def handler(step: Closed) -> Closed:
        return step

    handler({"status": "held", "outcome": None}, CONTEXT)

    assert logged()[0]["correlation_id"] == "request-1"


def test_the_room_that_closes_takes_what_the_state_machine_gives():
    close = CloseInput.model_validate(
        {**EVENT, "status": "escalated", "reason": "a step failed", "error": "X: y"}
    )

    assert (close.status, close.error) == ("escalated", "X: y")


def test_garbage_is_collected_again_after_the_first_event_of_a_cold_start():
    gc.disable()
    try:
        a_room(Counter())(EVENT, CONTEXT)

        assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
