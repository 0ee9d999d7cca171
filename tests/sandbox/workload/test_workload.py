"""The deployed workload in peace: what it answers, what it measures, what its workflows do."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.server import Server
from sandbox.traffic import NORMAL_RATE, Traffic, opportunity

from .conftest import eventually


def total(aws: Server, namespace: str, metric: str, statistic: str, **dimensions: str) -> float:
    """The Sum or the Maximum over the last sandbox hour."""
    now = aws.now()
    datapoints = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=datetime.fromtimestamp(now - 3600, UTC),
        EndTime=datetime.fromtimestamp(now + 60, UTC),
        Period=60,
        Statistics=[statistic],
    )["Datapoints"]
    values = [float(point[statistic]) for point in datapoints]
    return sum(values) if statistic == "Sum" else max(values, default=0.0)


def run(aws: Server, workflow: str, document: dict[str, Any]) -> dict[str, Any]:
    machines = aws.client("stepfunctions")
    execution = machines.start_execution(stateMachineArn=workflow, input=json.dumps(document))["executionArn"]
    eventually(
        f"{workflow} ends",
        lambda: machines.describe_execution(executionArn=execution)["status"] != "RUNNING",
    )
    return machines.describe_execution(executionArn=execution)


def test_outputs_name_what_was_deployed(aws: Server, stack: dict[str, str]):
    prefix = "opportunity-analysis-development"

    assert stack["Orchestrator"] == f"{prefix}-orchestrator"
    assert stack["AnalysisResultsTable"] == f"{prefix}-analysis-results"
    assert stack["WriteThrottlesAlarm"] == f"{prefix}-analysis-results-write-throttles"
    named = {value for key, value in stack.items() if key.endswith("Alarm")}
    alarms = aws.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    assert {alarm["AlarmName"] for alarm in alarms} == named
    assert len(named) == 8
    table = aws.client("dynamodb").describe_table(TableName=stack["AnalysisResultsTable"])["Table"]
    assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 5


def test_normal_traffic_uses_60_percent_of_the_tables_writes_and_nobody_notices(
    aws: Server, stack: dict[str, str]
):
    def written() -> float:
        name = "ConsumedWriteCapacityUnits"
        return total(aws, "AWS/DynamoDB", name, "Sum", TableName=stack["AnalysisResultsTable"])

    with Traffic(aws, stack["Orchestrator"]) as users:
        eventually("all senders are warm", lambda: users.counts().total >= 20)
        before, units = users.counts(), written()
        time.sleep(4)  # of the wall: the stretch that is measured
        counts, used = users.counts().since(before), written() - units

    assert counts.failed == 0, counts.errors
    assert counts.keeps_up
    assert counts.achieved_rate == pytest.approx(NORMAL_RATE, rel=0.1)
    assert used / counts.sandbox_seconds == pytest.approx(3.0, rel=0.15)  # of 5


def test_every_analysis_is_counted_once_and_timed_by_stage(aws: Server, stack: dict[str, str]):
    def measured(metric: str) -> float:
        return total(aws, "OpportunityAnalysis", metric, "Sum", Environment="development")

    names = ("Requests", "FailedRequests", "QueryGenerationTime", "DataRetrievalTime", "AnalysisTime")
    before = {name: measured(name) for name in names}

    for number in range(3):
        request = {"session_id": "s", "opportunity": opportunity(number)}
        answer = aws.client("lambda").invoke(
            FunctionName=stack["Orchestrator"], Qualifier="live", Payload=json.dumps(request)
        )
        assert json.load(answer["Payload"])["statusCode"] == 200

    gone_up = {name: measured(name) - before[name] for name in names}
    assert (gone_up["Requests"], gone_up["FailedRequests"]) == (3, 0)
    assert all(gone_up[name] > 0 for name in names[2:]), gone_up


def test_the_workflows_analyse_step_by_step(aws: Server, stack: dict[str, str]):
    subject = next(each for number in range(100) if "ceiling" in (each := opportunity(number)))

    analysed = run(aws, stack["AnalysisWorkflowArn"], {"opportunity": subject})
    funded = run(aws, stack["FundingWorkflowArn"], {"opportunity_id": subject["id"]})
    followed = run(aws, stack["FollowOnWorkflowArn"], {"detail": {"opportunity_id": subject["id"]}})

    assert json.loads(analysed["output"])["total"] > 0
    years = json.loads(funded["output"])["years"]
    assert len(years) == 5
    assert 0 < sum(years) < subject["ceiling"]
    assert json.loads(followed["output"])["opportunity_id"] == subject["id"]


def test_a_workflow_that_gives_up_keeps_the_name_of_the_error(aws: Server, stack: dict[str, str]):
    ended = run(aws, stack["FundingWorkflowArn"], {"opportunity_id": "OPP-unknown"})

    assert (ended["status"], ended["error"]) == ("FAILED", "BadRequestError")
    assert "has not been analysed" in ended["cause"]


def test_a_follow_on_request_on_the_bus_starts_its_workflow(aws: Server, stack: dict[str, str]):
    request = {"session_id": "s", "opportunity": opportunity(9), "follow_on": True}
    machines = aws.client("stepfunctions")

    def executions() -> list[dict[str, Any]]:
        return machines.list_executions(stateMachineArn=stack["FollowOnWorkflowArn"])["executions"]

    before = len(executions())
    aws.client("lambda").invoke(
        FunctionName=stack["Orchestrator"], Qualifier="live", Payload=json.dumps(request)
    )

    eventually("the follow-on workflow ran", lambda: len(executions()) == before + 1)
    eventually("it succeeded", lambda: executions()[0]["status"] == "SUCCEEDED")
