"""The application's surroundings: its environment variables, and AWS in memory."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.workload.functions.opportunity_analysis import (
    clients,
    flags,
    injected_faults,
    settings,
    tuning,
)

SETTINGS = {
    "query_model": "small",
    "analysis_model": "large",
    "fallback_model": "spare",
    "model_attempts": 3,
    "max_output_tokens": 800,
    "caching": False,
    "cache_ttl_seconds": 3600,
}
OPPORTUNITY = {
    "id": "OPP-1",
    "title": "Cloud migration of legacy records",
    "agency": "Department of Energy",
    "naics": "541512",
    "description": "Migration of legacy records, with on-site support.",
    "ceiling": 5_000_000,
}
CONTEXT = SimpleNamespace(aws_request_id="request-1")


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


class FakeAws:
    """All services in one object: what the application calls, and how each call can be made to fail."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = dict(SETTINGS)
        self.flags: Any = {"use_fallback_model": False}
        self.tuning: Any = {}
        self.model_says = "Bid."
        self.query_states = ["SUCCEEDED"]
        self.rows: list[list[str]] = [["agency", "recipient", "amount"]]
        self.items: list[dict[str, Any]] = []
        self.sessions: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.queries: list[dict[str, Any]] = []
        self.failing: dict[str, Exception] = {}

    def _may_fail(self, call: str) -> None:
        if call in self.failing:
            raise self.failing[call]

    def get_parameter(self, **_: Any) -> dict[str, Any]:
        return {"Parameter": {"Value": json.dumps(self.settings)}}

    def start_configuration_session(self, **arguments: Any) -> dict[str, Any]:
        self._may_fail("start_configuration_session")
        return {"InitialConfigurationToken": arguments["ConfigurationProfileIdentifier"]}

    def get_latest_configuration(self, **arguments: Any) -> dict[str, Any]:
        document = {"flags": self.flags, "tuning": self.tuning}[arguments["ConfigurationToken"]]
        return {"Configuration": io.BytesIO(json.dumps(document).encode())}

    def converse(self, **arguments: Any) -> dict[str, Any]:
        self._may_fail("converse")
        self.asked.append(arguments)
        content = [{"text": self.model_says}] if self.model_says else []
        return {"output": {"message": {"content": content}}, "stopReason": "end_turn"}

    def start_query_execution(self, **arguments: Any) -> dict[str, Any]:
        self._may_fail("start_query_execution")
        self.queries.append(arguments)
        return {"QueryExecutionId": "query-1"}

    def get_query_execution(self, **_: Any) -> dict[str, Any]:
        state = self.query_states.pop(0) if len(self.query_states) > 1 else self.query_states[0]
        return {"QueryExecution": {"Status": {"State": state, "StateChangeReason": "table gone"}}}

    def get_query_results(self, **_: Any) -> dict[str, Any]:
        return {"ResultSet": {"Rows": [{"Data": [{"VarCharValue": v} for v in row]} for row in self.rows]}}

    def put_item(self, **arguments: Any) -> None:
        self._may_fail("put_item")
        self.items.append(arguments["Item"])

    def query(self, **arguments: Any) -> dict[str, Any]:
        self._may_fail("query")
        values = arguments["ExpressionAttributeValues"]
        wanted, since = values[":id"], values[":since"]["S"]
        found = [i for i in self.items if i["opportunity_id"] == wanted and i["analysis_id"]["S"] >= since]
        return {"Items": found[-1:]}

    def update_item(self, **arguments: Any) -> None:
        self.sessions.append(arguments)

    def put_events(self, **arguments: Any) -> None:
        self.events += arguments["Entries"]

    def get_paginator(self, _operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **_: [{"Count": 2}, {"Count": 1}])


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    aws = FakeAws()
    for name in (
        "FLAGS_APPLICATION",
        "RESULTS_TABLE",
        "SESSIONS_TABLE",
        "EVENT_BUS",
        "ATHENA_WORKGROUP",
        "AWARDS_DATABASE",
    ):
        monkeypatch.setenv(name, name.lower())
    monkeypatch.setenv("ENVIRONMENT", "development")
    monkeypatch.setenv("SETTINGS_PARAMETER", "/settings")
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "0")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
    monkeypatch.delenv("FAULTS_PARAMETER", raising=False)
    monkeypatch.setattr(clients, "_connect", lambda _service, **_: aws)
    monkeypatch.setattr(settings, "_kept", None)
    monkeypatch.setattr(flags, "_last", flags.Flags())
    monkeypatch.setattr(tuning, "_last", {})
    monkeypatch.setattr(injected_faults, "_kept", None)
    clients.client.cache_clear()
    return aws


@pytest.fixture
def emitted(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """The JSON lines that were logged since the last look."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
