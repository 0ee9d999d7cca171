"""The rehearsal seam, below the real SDK: no socket is opened, because the fault answers first."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from sandbox.workload.functions.opportunity_analysis import injected_faults

from .conftest import refusal

FAULT = {
    "service": "bedrock-runtime",
    "resource": "us.large:0",
    "status": 424,
    "error": "ModelErrorException",
}


@pytest.fixture
def bedrock(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("FAULTS_PARAMETER", "/injected-fault")
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "0")
    monkeypatch.setattr(injected_faults, "_kept", None)
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",  # nobody listens: a call that gets through fails to connect
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "legacy", "total_max_attempts": 1}),
    )
    injected_faults.inject_into(client, "bedrock-runtime")
    return client


def inject(monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any] | Exception) -> None:
    def get_parameter(**_: Any) -> dict[str, Any]:
        if isinstance(fault, Exception):
            raise fault
        return {"Parameter": {"Value": json.dumps(fault)}}

    monkeypatch.setattr(injected_faults, "_parameters", lambda: SimpleNamespace(get_parameter=get_parameter))


def ask(bedrock: Any, model: str = "us.large:0") -> None:
    bedrock.converse(modelId=model, messages=[{"role": "user", "content": [{"text": "?"}]}])


def test_the_sdk_raises_the_dependencys_own_error(monkeypatch: pytest.MonkeyPatch, bedrock: Any):
    inject(monkeypatch, FAULT)

    with pytest.raises(bedrock.exceptions.ModelErrorException) as caught:
        ask(bedrock)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424


@pytest.mark.parametrize(
    "fault",
    [
        refusal("ParameterNotFound"),
        {**FAULT, "service": "athena"},
        {**FAULT, "resource": "us.other:0"},
        {**FAULT, "share": 0.0},
    ],
)
def test_calls_that_the_fault_does_not_mean_go_through(
    monkeypatch: pytest.MonkeyPatch, bedrock: Any, fault: dict[str, Any] | Exception
):
    inject(monkeypatch, fault)

    with pytest.raises(EndpointConnectionError):
        ask(bedrock)


def test_a_share_hits_that_share(monkeypatch: pytest.MonkeyPatch, bedrock: Any):
    inject(monkeypatch, {**FAULT, "share": 0.5})
    dice = iter([0.49, 0.5])
    monkeypatch.setattr(injected_faults.random, "random", lambda: next(dice))

    with pytest.raises(ClientError):
        ask(bedrock)
    with pytest.raises(EndpointConnectionError):
        ask(bedrock)


def test_a_fault_without_an_error_is_only_late(monkeypatch: pytest.MonkeyPatch, bedrock: Any):
    inject(monkeypatch, {"service": "bedrock-runtime", "delay_seconds": 3})
    slept: list[float] = []
    monkeypatch.setattr(injected_faults.time, "sleep", slept.append)

    with pytest.raises(EndpointConnectionError):
        ask(bedrock)

    assert slept == [3]


def test_the_fault_is_not_read_for_every_call(monkeypatch: pytest.MonkeyPatch, bedrock: Any):
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "60")
    inject(monkeypatch, FAULT)
    with pytest.raises(ClientError):
        ask(bedrock)

    inject(monkeypatch, refusal("ParameterNotFound"))

    with pytest.raises(bedrock.exceptions.ModelErrorException):
        ask(bedrock)
    assert injected_faults._kept is not None
    assert injected_faults._kept[0] <= time.monotonic()
