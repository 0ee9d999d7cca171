"""The lean client against the real endpoints: TLS, signature, an answer and an error."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from layers.lean_services import lean_services
from selfright.adapters.aws import Aws
from selfright.adapters.lean_client import NOT_LEAN, TABLE, LeanClient
from tests.live.conftest import Account


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """As inside a function: credentials are variables."""
    (tmp_path / TABLE).write_text(json.dumps(lean_services(["dynamodb", "stepfunctions"])))
    session = boto3.Session()
    keys = session.get_credentials().get_frozen_credentials()  # type: ignore[union-attr]
    for name in NOT_LEAN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "live")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    monkeypatch.setenv("AWS_REGION", str(session.region_name))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", str(keys.access_key))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", str(keys.secret_key))
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys.token or "")
    return Aws()


def test_the_ledger_answers_the_lean_client(account: Account, aws: Aws):
    client = aws.lean("dynamodb")
    key = {"PK": {"S": "SIGNAL#none"}, "SK": {"S": "DECISION"}}

    assert isinstance(client, LeanClient)
    assert client.get_item(TableName=account.outputs["LedgerTable"], Key=key) == {}


def test_an_execution_that_is_not_there_is_said_to_be_so(account: Account, aws: Aws):
    client = aws.lean("stepfunctions")
    execution = account.outputs["RespondArn"].replace(":stateMachine:", ":execution:") + ":none"

    with pytest.raises(client.exceptions.ExecutionDoesNotExist):
        client.describe_execution(executionArn=execution)
