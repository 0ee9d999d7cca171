"""What Lambda and Step Functions answer to a question, and what is no answer."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.response import StreamingBody

from selfright.adapters.aws import Aws
from selfright.adapters.probes import AwsProbes
from selfright.domain.errors import NotFoundError, RefusedError, SourceDownError, ThrottledError
from selfright.domain.release.probing import Ran
from tests.fakes import StillClock
from tests.unit.adapters.conftest import Stubbed

NAME = "shop-checkout"
MACHINES = "arn:aws:states:eu-central-1:123456789012:stateMachine:"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:shop-ordering:smoke-shop-42-0"
BEGAN = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def probes(stubbed: Stubbed, monkeypatch: pytest.MonkeyPatch) -> AwsProbes:
    monkeypatch.setattr(stubbed.aws, "patient", lambda service, _: stubbed.aws.client(service))
    return AwsProbes(stubbed.aws, MACHINES, StillClock(BEGAN + timedelta(seconds=20)))


def payload(text: bytes) -> StreamingBody:
    return StreamingBody(io.BytesIO(text), len(text))


@pytest.mark.parametrize(("text", "body"), [(b'{"statusCode": 200}', {"statusCode": 200}), (b"oops", "oops")])
def test_an_answer_is_json_or_its_text(stubbed: Stubbed, probes: AwsProbes, text: bytes, body: Any):
    stubbed.answer(
        "lambda", "invoke", {"Payload": payload(text)}, FunctionName=NAME, Qualifier="2", Payload=b'{"a": 1}'
    )

    heard = probes.invoke(NAME, "2", {"a": 1}, 10)

    assert (heard.body, heard.trouble) == (body, None)
    assert 0 <= heard.seconds < 5


def test_a_function_that_crashed_says_with_what(stubbed: Stubbed, probes: AwsProbes):
    text = b'{"errorType": "KeyError", "errorMessage": "\'total\'"}'
    stubbed.answer("lambda", "invoke", {"Payload": payload(text), "FunctionError": "Unhandled"})

    assert probes.invoke(NAME, "2", {}, 10).trouble == "KeyError: 'total'"


def test_a_function_that_answers_too_late_is_in_trouble(
    probes: AwsProbes, stubbed: Stubbed, monkeypatch: pytest.MonkeyPatch
):
    def late(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://lambda")

    monkeypatch.setattr(stubbed.aws.client("lambda"), "invoke", late)

    assert probes.invoke(NAME, "2", {}, 10).trouble == "no answer within 10 s"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("TooManyRequestsException", ThrottledError),
        ("ResourceNotFoundException", NotFoundError),
        ("AccessDeniedException", SourceDownError),
    ],
)
def test_what_was_not_invoked_is_no_answer(
    stubbed: Stubbed, probes: AwsProbes, code: str, error: type[Exception]
):
    stubbed.refuse("lambda", "invoke", code)

    with pytest.raises(error, match=f"invoking {NAME}:2"):
        probes.invoke(NAME, "2", {}, 10)


def test_a_client_for_questions_waits_as_long_as_it_is_told_and_asks_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    aws = Aws()
    config = aws.patient("lambda", 30).meta.config

    assert aws.patient("lambda", 30) is aws.patient("lambda", 30)
    assert (config.read_timeout, config.retries["total_max_attempts"]) == (30, 1)


@pytest.mark.parametrize("started", [True, False], ids=["new", "known"])
def test_an_execution_is_started_once_and_told_by_its_own_times(
    stubbed: Stubbed, probes: AwsProbes, started: bool
):
    if started:
        answer = {"executionArn": EXECUTION, "startDate": BEGAN}
        wanted = {
            "stateMachineArn": f"{MACHINES}shop-ordering",
            "name": "smoke-shop-42-0",
            "input": '{"a": 1}',
        }
        stubbed.answer("stepfunctions", "start_execution", answer, **wanted)
    else:
        stubbed.refuse("stepfunctions", "start_execution", "ExecutionAlreadyExists")
    stubbed.answer(
        "stepfunctions",
        "describe_execution",
        {
            "executionArn": EXECUTION,
            "stateMachineArn": f"{MACHINES}shop-ordering",
            "status": "SUCCEEDED",
            "startDate": BEGAN,
            "stopDate": BEGAN + timedelta(seconds=12),
        },
        executionArn=EXECUTION,
    )

    assert probes.run("shop-ordering", "smoke-shop-42-0", {"a": 1}) == Ran(status="SUCCEEDED", seconds=12)


def test_an_execution_that_is_not_over_takes_until_now(stubbed: Stubbed, probes: AwsProbes):
    stubbed.refuse("stepfunctions", "start_execution", "ExecutionAlreadyExists")
    running = {"executionArn": EXECUTION, "stateMachineArn": f"{MACHINES}shop-ordering", "status": "RUNNING"}
    stubbed.answer("stepfunctions", "describe_execution", {**running, "startDate": BEGAN})

    assert probes.run("shop-ordering", "smoke-shop-42-0", {}) == Ran(status="RUNNING", seconds=20)


def test_an_address_outside_the_sandbox_may_not_be_this_machine(probes: AwsProbes):
    with pytest.raises(RefusedError):
        probes.fetch("https://127.0.0.1/", 1)
