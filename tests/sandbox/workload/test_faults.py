"""Every fault shows its symptom in the numbers, and is gone when it is switched off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import faults
from sandbox.server import SandboxError, Server
from sandbox.traffic import Counts, Traffic

from .conftest import ENVIRONMENT, eventually
from .test_workload import total


@pytest.fixture
def users(aws: Server, stack: dict[str, str]) -> Iterator[Traffic]:
    with Traffic(aws, stack["Orchestrator"]) as users:
        yield users
        for name in faults.active(aws, ENVIRONMENT):
            faults.off(name, aws, ENVIRONMENT)


def eventually_all_is_well(users: Traffic) -> None:
    def ten_in_a_row() -> bool:
        last = users.counts().calls[-10:]
        return len(last) == 10 and all(call.error is None and call.milliseconds < 1000 for call in last)

    eventually("ten good answers in a row", ten_in_a_row)


def switch_on(name: str, aws: Server, users: Traffic) -> Counts:
    eventually_all_is_well(users)
    faults.on(name, aws, ENVIRONMENT)
    return users.counts()


def switch_off(name: str, aws: Server, users: Traffic) -> None:
    assert faults.off(name, aws, ENVIRONMENT)
    eventually_all_is_well(users)


def capacity(aws: Server, table: str) -> int:
    described = aws.client("dynamodb").describe_table(TableName=table)["Table"]
    return int(described["ProvisionedThroughput"]["WriteCapacityUnits"])


def live(aws: Server, function: str) -> tuple[str, str]:
    """The version that users get, and the hash of the code that the next release starts from."""
    client = aws.client("lambda")
    alias = client.get_alias(FunctionName=function, Name="live")
    return alias["FunctionVersion"], client.get_function(FunctionName=function)["Configuration"]["CodeSha256"]


def parameter(aws: Server, name: str) -> str:
    return str(aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def throw_flag(aws: Server, stack: dict[str, str], **flags: bool) -> None:
    appconfig = aws.client("appconfig")
    where = {"ApplicationId": stack["FlagApplication"], "ConfigurationProfileId": stack["FlagProfile"]}
    version = appconfig.create_hosted_configuration_version(
        **where, ContentType="application/json", Content=json.dumps(flags).encode()
    )["VersionNumber"]
    appconfig.start_deployment(
        **where,
        EnvironmentId=stack["FlagEnvironment"],
        ConfigurationVersion=str(version),
        DeploymentStrategyId=stack["FlagStrategy"],
    )


def states(aws: Server, stack: dict[str, str]) -> dict[str, str]:
    alarms = aws.client("cloudwatch").describe_alarms(
        AlarmNames=[value for key, value in stack.items() if key.endswith("Alarm")]
    )
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms["MetricAlarms"]}


def test_throttled_table_fails_users_for_lack_of_capacity_and_raises_only_its_own_alarm(
    aws: Server, stack: dict[str, str], users: Traffic
):
    table, alarm = stack["AnalysisResultsTable"], stack["WriteThrottlesAlarm"]
    crashes = total(aws, "AWS/Lambda", "Errors", "Sum", FunctionName=stack["Orchestrator"])
    before = switch_on("throttled-table", aws, users)
    assert capacity(aws, table) == 1
    users.rate *= 2  # drains sooner what the table saved while it was healthy

    eventually(f"{alarm} is in ALARM", lambda: states(aws, stack)[alarm] == "ALARM", within=30)
    eventually("ten users have failed", lambda: users.counts().since(before).failed > 10, within=30)

    seen = users.counts().since(before)
    assert set(seen.errors) == {"ResultNotStoredError"}
    assert seen.throttled == seen.failed
    assert total(aws, "AWS/DynamoDB", "WriteThrottleEvents", "Sum", TableName=table) > seen.failed
    assert total(aws, "AWS/Lambda", "Errors", "Sum", FunctionName=stack["Orchestrator"]) == crashes
    others = {name: state for name, state in states(aws, stack).items() if name != alarm}
    assert set(others.values()) == {"OK"}, others

    users.rate /= 2
    switch_off("throttled-table", aws, users)
    assert capacity(aws, table) == 5


def test_throttled_table_is_restored_even_after_somebody_else_remedied_it(aws: Server, stack: dict[str, str]):
    table = stack["AnalysisResultsTable"]
    faults.on("throttled-table", aws, ENVIRONMENT)
    aws.client("dynamodb").update_table(
        TableName=table, ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 9}
    )

    assert faults.off("throttled-table", aws, ENVIRONMENT)

    assert capacity(aws, table) == 5


def test_dependency_errors_fail_half_of_the_users_until_the_fallback_model_is_used(
    aws: Server, stack: dict[str, str], users: Traffic
):
    before = switch_on("dependency-errors", aws, users)

    def failed() -> int:
        return users.counts().since(before).failed

    eventually("users fail", lambda: failed() >= 5)
    assert set(users.counts().since(before).errors) == {"ModelUnavailableError"}

    throw_flag(aws, stack, use_fallback_model=True)
    try:
        eventually_all_is_well(users)
    finally:
        throw_flag(aws, stack, use_fallback_model=False)

    switch_off("dependency-errors", aws, users)
    with pytest.raises(aws.client("ssm").exceptions.ParameterNotFound):
        parameter(aws, stack["InjectedFaultParameter"])


def test_slow_dependency_makes_users_wait_beyond_the_alarms_threshold(
    aws: Server, stack: dict[str, str], users: Traffic
):
    alarm = aws.client("cloudwatch").describe_alarms(AlarmNames=[stack["LatencyAlarm"]])["MetricAlarms"][0]
    before = switch_on("slow-dependency", aws, users)

    def slow() -> list[float]:
        waits = [call.milliseconds for call in users.counts().since(before).calls]
        return [wait for wait in waits if wait > alarm["Threshold"]]

    eventually("users wait", lambda: len(slow()) >= 3)
    assert users.counts().since(before).failed == 0
    analysis = total(aws, "OpportunityAnalysis", "AnalysisTime", "Maximum", Environment=ENVIRONMENT)
    assert analysis > alarm["Threshold"]
    with pytest.raises(SandboxError, match="another dependency fault is on"):
        faults.on("dependency-errors", aws, ENVIRONMENT)

    switch_off("slow-dependency", aws, users)


def test_bad_release_crashes_for_some_users_and_rolling_back_ends_it(
    aws: Server, stack: dict[str, str], users: Traffic
):
    version, code = live(aws, stack["Orchestrator"])
    before = switch_on("bad-release", aws, users)
    assert live(aws, stack["Orchestrator"])[0] != version

    eventually("users see crashes", lambda: users.counts().since(before).failed >= 5)

    seen = users.counts().since(before)
    assert set(seen.errors) == {"TypeError"}
    assert seen.ok > seen.failed
    crashes = total(aws, "AWS/Lambda", "Errors", "Sum", FunctionName=stack["Orchestrator"])
    assert crashes >= seen.failed

    switch_off("bad-release", aws, users)
    assert live(aws, stack["Orchestrator"]) == (version, code)


def test_memory_growth_shows_in_the_metric_and_ends_with_the_release(
    aws: Server, stack: dict[str, str], users: Traffic
):
    version, code = live(aws, stack["Orchestrator"])

    def most_memory() -> float:
        return total(aws, "OpportunityAnalysis", "MemoryUsed", "Maximum", Environment=ENVIRONMENT)

    eventually_all_is_well(users)
    usual = most_memory()
    before = switch_on("memory-growth", aws, users)

    eventually("memory grows by 10 MB", lambda: most_memory() > usual + 10)

    assert users.counts().since(before).failed == 0
    switch_off("memory-growth", aws, users)
    assert live(aws, stack["Orchestrator"]) == (version, code)


def test_bad_configuration_crashes_for_everybody_and_restores_the_settings(
    aws: Server, stack: dict[str, str], users: Traffic
):
    settings = parameter(aws, stack["SettingsParameter"])
    before = switch_on("bad-configuration", aws, users)

    def last_ten() -> list[Any]:
        return [call.error for call in users.counts().since(before).calls[-10:]]

    eventually("everybody fails", lambda: last_ten() == ["ConfigurationError"] * 10)

    switch_off("bad-configuration", aws, users)
    assert parameter(aws, stack["SettingsParameter"]) == settings
