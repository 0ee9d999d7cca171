"""With IAM enforced, the workload's roles allow what it does and nothing that it does not do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import workload
from sandbox.deployment import deploy
from sandbox.server import Server, start
from sandbox.traffic import opportunity

from .conftest import ENVIRONMENT, eventually


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start(Path(tmp_path_factory.mktemp("guarded")) / "state", scale=20.0, auth=True)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stack(guarded: Server) -> dict[str, str]:
    name = workload.stack_name(ENVIRONMENT)
    return deploy(guarded, workload.TEMPLATE, name, workload.stack_parameters(ENVIRONMENT, guarded.scale))


def test_every_function_may_do_its_work(guarded: Server, stack: dict[str, str]):
    client = guarded.client("lambda")
    request = {"session_id": "s", "opportunity": opportunity(3), "follow_on": True}

    answer = client.invoke(FunctionName=stack["Orchestrator"], Qualifier="live", Payload=json.dumps(request))
    assert json.load(answer["Payload"])["statusCode"] == 200
    counted = client.invoke(FunctionName=stack["SessionReport"], Qualifier="live")
    assert json.load(counted["Payload"]) == {"active": 1}

    machines = guarded.client("stepfunctions")
    asked = {
        stack["AnalysisWorkflowArn"]: {"opportunity": opportunity(3)},
        stack["FundingWorkflowArn"]: {"opportunity_id": opportunity(3)["id"]},
        stack["FollowOnWorkflowArn"]: {"detail": {"opportunity_id": opportunity(3)["id"]}},
    }
    for workflow, document in asked.items():
        started = machines.start_execution(stateMachineArn=workflow, input=json.dumps(document))

        def ended(execution: str = started["executionArn"]) -> bool:
            return machines.describe_execution(executionArn=execution)["status"] != "RUNNING"

        eventually(f"{workflow} ends", ended)
        described = machines.describe_execution(executionArn=started["executionArn"])
        assert described["status"] == "SUCCEEDED", described


def test_a_stage_may_not_do_another_stages_work(guarded: Server, stack: dict[str, str]):
    """The query generation asks a model; retrieving data with its role fails on Athena's refusal."""
    client = guarded.client("lambda")
    client.update_function_configuration(
        FunctionName=stack["QueryGeneration"], Handler="opportunity_analysis.stages.retrieve_data"
    )
    query = {"query": {"statement": "SELECT 1", "values": ["'x'"]}}

    answer = client.invoke(FunctionName=stack["QueryGeneration"], Payload=json.dumps(query))

    error = json.load(answer["Payload"])
    assert error["errorType"] == "RetrievalFailedError"
    assert "AccessDeniedException" in error["errorMessage"]
