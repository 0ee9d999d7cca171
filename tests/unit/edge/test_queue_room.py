"""The signal queue's room, with its real handler: one bad message never stops the others."""

from __future__ import annotations

import gc
import json
from types import SimpleNamespace
from typing import Any

import pytest

from selfright.domain.errors import BadInputError
from tests.fakes import Down
from tests.unit.edge.conftest import Lines
from tests.unit.usecases.respond import handler
from tests.unit.usecases.world import ACCOUNT, ALARM, REGION, WENT_OFF, World


def alarm_event(alarm: str = ALARM, state: str = "ALARM", second: int = 0) -> dict[str, Any]:
    at = WENT_OFF.replace(second=second)
    return {
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": ACCOUNT,
        "region": REGION,
        "resources": [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm}"],
        "detail": {"alarmName": alarm, "state": {"value": state, "timestamp": at.isoformat()}},
    }


def batch(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"message-{n}",
                "receiptHandle": f"handle-{n}",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:signals",
                "awsRegion": REGION,
            }
            for n, body in enumerate(bodies)
        ]
    }


GOOD = json.dumps(alarm_event())


@pytest.fixture
def world() -> World:
    return World()


def test_a_message_is_decided_and_taken_off_the_queue(world: World, logged: Lines):
    answer = handler("receive_signal", world)(batch(GOOD), None)

    assert answer == {"batchItemFailures": []}
    (incident,) = world.workflows.started
    assert logged()[-1]["result"]["decision"] == "opened"
    assert logged()[-1]["result"]["incident_id"] == incident


@pytest.mark.parametrize(
    ("poison", "error"),
    [
        ("not json", "BadInputError"),
        ("{}", "BadInputError"),
        (json.dumps(alarm_event(state="BROKEN")), "BadInputError"),
    ],
)
def test_a_poison_message_comes_back_alone_and_the_log_says_why(
    world: World, logged: Lines, poison: str, error: str
):
    other = json.dumps(alarm_event("somebody-elses"))

    answer = handler("receive_signal", world)(batch(GOOD, poison, other), None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert len(world.workflows.started) == 1
    failed = [line for line in logged() if line["level"] == "ERROR"]
    assert [(line["correlation_id"], line["exception_name"]) for line in failed] == [("message-1", error)]


def test_where_nothing_can_be_recorded_every_message_comes_back(world: World):
    world.store = Down()

    answer = handler("receive_signal", world)(batch(GOOD, GOOD), None)

    assert [f["itemIdentifier"] for f in answer["batchItemFailures"]] == ["message-0", "message-1"]
    assert world.workflows.started == []


def test_a_batch_is_measured_once(world: World, measured: Lines):
    handler("receive_signal", world)(batch(GOOD, "not json"), None)

    assert [line["AwsCalls"] for line in measured()] == [[0.0]]


def test_a_warm_function_forgets_the_last_batch(world: World):
    receive = handler("receive_signal", world)
    receive(batch("not json"), None)

    assert receive(batch(GOOD), None) == {"batchItemFailures": []}


CANARY = {"canary": "id-1", "account": ACCOUNT, "region": REGION, "time": WENT_OFF.isoformat()}


def test_an_alarm_may_invoke_the_function_itself(world: World, logged: Lines):
    answer = handler("receive_signal", world)(alarm_event(), SimpleNamespace(aws_request_id="request-1"))

    (incident,) = world.workflows.started
    assert (answer["decision"], answer["incident_id"]) == ("opened", incident)
    assert logged()[-1]["correlation_id"] == "request-1"


def test_a_direct_call_that_cannot_be_read_fails_so_that_lambda_keeps_it(world: World, logged: Lines):
    with pytest.raises(BadInputError, match="must be the event of a sender that we know"):
        handler("receive_signal", world)({"hello": "world"}, SimpleNamespace(aws_request_id="request-1"))

    assert logged()[-1]["message"] == "message failed"


def test_a_canary_is_measured_by_its_age(world: World, measured: Lines):
    world.clock.advance(7)

    handler("receive_signal", world)(batch(json.dumps(CANARY)), None)

    (line,) = measured()
    assert line["CanaryDecided"] == [12.0]
    assert line["service"] == "selfright"
    assert world.workflows.started == []


def test_nothing_else_is_taken_for_a_canary(world: World, measured: Lines):
    handler("receive_signal", world)(batch(GOOD), None)

    assert [line for line in measured() if "CanaryDecided" in line] == []


@pytest.mark.parametrize("event", [batch(GOOD), batch("not json"), alarm_event()])
def test_garbage_is_collected_again_after_the_first_event_of_a_cold_start(
    world: World, event: dict[str, Any]
):
    gc.disable()
    try:
        handler("receive_signal", world)(event, SimpleNamespace(aws_request_id="request-1"))

        assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()


def test_a_direct_call_that_fails_collects_garbage_again_as_well(world: World):
    gc.disable()
    try:
        with pytest.raises(BadInputError):
            handler("receive_signal", world)({}, SimpleNamespace(aws_request_id="request-1"))

        assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
