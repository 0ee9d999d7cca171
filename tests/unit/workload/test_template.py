"""The workload's template and state machines: what the manifest, the alarms' readers and the lint rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.decode import decode

from sandbox import workload
from sandbox.workload.functions.opportunity_analysis import errors, query_generation

MACHINES = sorted((workload.TEMPLATE.parent / "statemachines").glob("*.asl.json"))


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    document, problems = decode(str(workload.TEMPLATE))
    assert not problems
    return json.loads(json.dumps(document))


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def physical(name: Any) -> str:
    return name["Fn::Sub"].replace("${Environment}", "development")


def test_alarms_have_the_names_thresholds_and_patience_that_the_manifest_relies_on(template: dict[str, Any]):
    alarms = {
        physical(alarm["AlarmName"]).removeprefix("opportunity-analysis-development-"): (
            alarm["Threshold"],
            alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]),
            alarm["EvaluationPeriods"],
            alarm["TreatMissingData"],
        )
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
    }

    assert alarms == {
        "analysis-results-write-throttles": (5, 2, 3, "ignore"),
        "analysis-results-read-throttles": (5, 2, 3, "ignore"),
        "orchestrator-error-rate": (5, 10, 10, "notBreaching"),
        "orchestrator-error-rate-warning": (2, 15, 15, "notBreaching"),
        "orchestrator-latency": ({"Ref": "LatencyCriticalMilliseconds"}, 15, 15, "notBreaching"),
        "orchestrator-latency-warning": ({"Ref": "LatencyWarningMilliseconds"}, 15, 15, "notBreaching"),
        "orchestrator-lambda-errors": (5, 1, 1, "notBreaching"),
        "availability": (99, 3, 3, "notBreaching"),
    }


def test_every_alarm_says_whose_it_is(template: dict[str, Any]):
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        tags = {tag["Key"]: tag["Value"] for tag in alarm["Tags"]}
        assert tags == {
            "selfright:workload": "opportunity-analysis",
            "selfright:environment": {"Ref": "Environment"},
        }, name


def test_metric_math_returns_one_series_of_at_most_ten_metrics(template: dict[str, Any]):
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        if queries := alarm.get("Metrics"):
            assert sum(query.get("ReturnData", True) for query in queries) == 1, name
            assert len(queries) <= 10, name


@pytest.mark.parametrize(
    ("kind", "key", "names"),
    [
        (
            "AWS::Serverless::Function",
            "FunctionName",
            [
                "analysis",
                "data-retrieval",
                "follow-on-analysis",
                "funding-analysis",
                "orchestrator",
                "query-generation",
                "session-report",
            ],
        ),
        ("AWS::DynamoDB::Table", "TableName", ["analysis-results", "user-sessions"]),
        ("AWS::Serverless::StateMachine", "Name", ["analysis", "follow-on", "funding"]),
    ],
)
def test_names_begin_with_the_stacks(template: dict[str, Any], kind: str, key: str, names: list[str]):
    stack = workload.stack_name("development")

    assert sorted(physical(properties[key]) for properties in of_type(template, kind).values()) == [
        f"{stack}-{name}" for name in names
    ]


def test_figures_are_those_of_the_environments(template: dict[str, Any]):
    figures = template["Mappings"]["Figures"]

    assert set(figures) == set(workload.ENVIRONMENTS)
    assert [
        (figures[e]["Concurrency"], figures[e]["Memory"], figures[e]["Units"]) for e in workload.ENVIRONMENTS
    ] == [(5, 512, 5), (20, 1024, 10), (100, 1024, 25)]


def test_faults_cannot_be_injected_unless_somebody_enables_it(template: dict[str, Any]):
    assert template["Parameters"]["FaultInjection"]["Default"] == "disabled"
    variable = template["Globals"]["Function"]["Environment"]["Variables"]["FAULTS_PARAMETER"]
    assert variable["Fn::If"][0] == "FaultsMayBeInjected"
    assert variable["Fn::If"][2] == ""


def test_the_sandbox_scales_thresholds_with_its_clock(template: dict[str, Any]):
    parameters = workload.stack_parameters("staging", scale=12.0)

    assert parameters == {
        "Environment": "staging",
        "FaultInjection": "enabled",
        "LatencyCriticalMilliseconds": "2500",
        "LatencyWarningMilliseconds": "1250",
        "SettingsTtlSeconds": "2",
    }
    assert parameters.keys() == template["Parameters"].keys()


def test_the_query_reads_columns_that_the_awards_have(template: dict[str, Any]):
    (awards,) = of_type(template, "AWS::Glue::Table").values()
    columns = {column["Name"] for column in awards["TableInput"]["StorageDescriptor"]["Columns"]}

    for word in query_generation.COLUMNS:
        assert word in columns


@pytest.mark.parametrize("machine", MACHINES, ids=lambda path: path.name)
def test_state_machines_are_well_formed(machine: Path):
    definition = json.loads(machine.read_text())
    resource = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"RoleArn": "arn:aws:iam::123456789012:role/r", "Definition": definition},
    }

    assert lint(json.dumps({"Resources": {"Machine": resource}})) == []


@pytest.mark.parametrize("machine", MACHINES, ids=lambda path: path.name)
def test_state_machines_only_retry_errors_that_exist(machine: Path):
    ours = {name for name in vars(errors) if name.endswith("Error")}

    for name, state in json.loads(machine.read_text())["States"].items():
        assert state["Comment"], name
        for error in (error for retry in state.get("Retry", ()) for error in retry["ErrorEquals"]):
            assert error.startswith("Lambda.") or error in ours, f"{name}: {error}"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda path: path.name)
def test_every_task_has_a_limit_retries_with_jitter_and_a_way_out(machine: Path):
    states = json.loads(machine.read_text())["States"]

    for name, state in states.items():
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] == 60, name
            assert [retry["JitterStrategy"] for retry in state["Retry"]] == ["FULL"], name
            assert [catch["Next"] for catch in state["Catch"]] == ["Give the analysis up"], name
