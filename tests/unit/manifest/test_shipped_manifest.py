"""workloads/opportunity-analysis says what the workload's own template and its operating figures say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.workload.functions.opportunity_analysis.errors import ModelUnavailableError
from sandbox.workload.functions.opportunity_analysis.flags import Flags
from selfright.adapters.manifest_files import load_workload, load_workloads
from selfright.domain.judgement import METRIC_LAG
from selfright.domain.manifest import Autonomy, DynamoDBTable, Environment, LambdaFunction, Workload

NAME_PROPERTIES = {
    "AWS::DynamoDB::Table": ("dynamodb-table", "TableName"),
    "AWS::Serverless::Function": ("lambda-function", "FunctionName"),
    "AWS::Serverless::StateMachine": ("state-machine", "Name"),
    "AWS::Events::EventBus": ("event-bus", "Name"),
    "AWS::S3::Bucket": ("s3-bucket", "BucketName"),
}

every_environment = pytest.mark.parametrize("environment", list(Environment))


class TemplateLoader(yaml.SafeLoader):
    """Reads a CloudFormation template: `!Sub text` and `!Ref text` become their text."""


TemplateLoader.add_multi_constructor("!", lambda _, __, node: node.value)


@pytest.fixture(scope="session")
def template(workloads: Path) -> dict[str, Any]:
    file = workloads.parent / "sandbox" / "workload" / "template.yaml"
    return yaml.load(file.read_text("utf-8"), TemplateLoader)  # noqa: S506 - a SafeLoader, our own file


def shipped(workloads: Path, environment: str) -> Workload:
    return load_workload(workloads / "opportunity-analysis", environment)


@every_environment
def test_its_resources_are_those_of_the_template(workloads: Path, template: dict[str, Any], environment: str):
    deployed = {
        (NAME_PROPERTIES[kind][0], name_in(resource, NAME_PROPERTIES[kind][1], environment))
        for resource in template["Resources"].values()
        if (kind := resource["Type"]) in NAME_PROPERTIES
    }

    workload = shipped(workloads, environment)

    assert {(resource.type, resource.name) for resource in workload.resources.values()} == deployed


@every_environment
def test_its_alarms_are_those_of_the_template(workloads: Path, template: dict[str, Any], environment: str):
    deployed = {
        name_in(resource, "AlarmName", environment)
        for resource in template["Resources"].values()
        if resource["Type"] in {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}
    }

    workload = shipped(workloads, environment)

    assert {alarm.name for alarm in workload.alarms.values()} == deployed


@every_environment
def test_its_circuit_is_the_flag_that_the_template_deploys_and_the_code_reads(
    workloads: Path, template: dict[str, Any], environment: str
):
    function = shipped(workloads, environment).resource("orchestrator")
    assert isinstance(function, LambdaFunction)
    circuit = function.circuits["bedrock"]
    names = {"FlagApplication": circuit.application, "FlagProfile": circuit.profile}

    assert {key: name_in(template["Resources"][key], "Name", environment) for key in names} == names
    assert template["Resources"]["FlagEnvironment"]["Properties"]["Name"] == "Environment"  # !Ref
    assert circuit.environment == environment
    assert json.loads(template["Resources"]["FlagVersion"]["Properties"]["Content"]) == {circuit.flag: False}
    assert Flags.parse(json.dumps({circuit.flag: True}).encode()).use_fallback_model
    assert ModelUnavailableError.dependency == "bedrock"


@every_environment
def test_its_verdict_may_wait_for_three_whole_periods_of_every_alarm(
    workloads: Path, template: dict[str, Any], environment: str
):
    """One period straddles the change, and metrics arrive late."""
    periods = [
        int(period)
        for alarm in template["Resources"].values()
        if alarm["Type"] == "AWS::CloudWatch::Alarm"
        for period in re.findall(r"'Period': (\d+)", str(alarm))
    ]
    needed = 4 * max(periods) + METRIC_LAG.total_seconds()

    assert shipped(workloads, environment).verification.verify_within_seconds >= needed


@every_environment
def test_its_settings_are_those_that_the_template_deploys(
    workloads: Path, template: dict[str, Any], environment: str
):
    figures = template["Mappings"]["Figures"][environment]

    settings = shipped(workloads, environment).settings

    assert settings.functions.concurrency == figures["Concurrency"]
    assert settings.functions.memory_mb == figures["Memory"]
    assert (settings.tables.read_units, settings.tables.write_units) == (figures["Units"], figures["Units"])
    assert settings.bedrock.retries == figures["ModelAttempts"]
    assert str(settings.caching).lower() == figures["Caching"]


@pytest.mark.parametrize(
    ("environment", "figures"),
    [
        ("development", ("debug", False, 100, 60, 30, 10, 50)),
        ("staging", ("info", True, 100, 60, 30, 50, 200)),
        ("production", ("warn", True, 1000, 30, 15, 200, 1000)),
    ],
)
def test_its_settings_differ_by_environment(workloads: Path, environment: str, figures: tuple[Any, ...]):
    settings = shipped(workloads, environment).settings

    assert figures == (
        settings.log_level,
        settings.monitoring,
        settings.rate_limit_per_15_minutes,
        settings.metrics_interval_seconds,
        settings.health_check_interval_seconds,
        settings.bedrock.requests_per_minute,
        settings.expected_requests_per_hour,
    )
    assert settings.cache_ttl_seconds == 3600


@pytest.mark.parametrize(
    ("environment", "level"),
    [("development", Autonomy.AUTO), ("staging", Autonomy.APPROVE), ("production", Autonomy.SUGGEST)],
)
def test_the_more_depends_on_an_environment_the_more_careful_selfright_is(
    workloads: Path, environment: str, level: Autonomy
):
    workload = shipped(workloads, environment)

    assert workload.autonomy_for("database-performance") is level
    assert workload.autonomy_for("any-other") is Autonomy.OBSERVE


@every_environment
def test_its_targets_limits_and_ladder(workloads: Path, environment: str):
    workload = shipped(workloads, environment)

    assert workload.targets.p95_seconds == {
        "query-generation": 5,
        "data-retrieval": 10,
        "analysis": 15,
        "end-to-end": 30,
        "health-check": 1,
    }
    assert (workload.targets.availability_percent, workload.targets.success_rate_percent) == (99.5, 95)
    assert workload.limits.cooldown_seconds == 300
    assert workload.limits.stale_after_seconds == 1800
    assert workload.verification.settle_seconds == 300
    assert [level.answer_within_minutes for level in workload.escalation.levels] == [15, 30, 60]
    assert workload.notifications.topic == "opportunity-analysis-alerts"
    table = workload.resource("analysis-results")
    assert isinstance(table, DynamoDBTable)
    assert (table.capacity.min_units, table.capacity.max_units, table.capacity.target_utilisation) == (
        5,
        100,
        0.7,
    )


@every_environment
def test_every_shipped_workload_loads(workloads: Path, environment: str):
    assert [workload.workload for workload in load_workloads(workloads, environment)] == [
        "opportunity-analysis"
    ]


def name_in(resource: dict[str, Any], name_property: str, environment: str) -> str:
    """With the sandbox's account, where the name has one."""
    name: str = resource["Properties"][name_property]
    return name.replace("${Environment}", environment).replace("${AWS::AccountId}", "000000000000")
