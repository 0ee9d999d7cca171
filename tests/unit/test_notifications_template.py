"""Template and manifests agree on who is told: the topic's name, the secrets, the permissions, the alarm."""

from __future__ import annotations

import fnmatch
import json
import re
import tomllib
from typing import Any

import pytest

from selfright.adapters.manifest_files import load_workloads
from selfright.domain.manifest import Environment, SecretChannel, Workload
from tests.unit.template import ROOT, resources, template
from tests.unit.test_contracts import granted, statements

MACHINE = json.loads((ROOT / "statemachines" / "respond.asl.json").read_text())
TELL = MACHINE["States"]["Tell people"]


def parameters(section: str) -> dict[str, str]:
    """The template's parameters as a section of samconfig.toml sets them."""
    given = tomllib.loads((ROOT / "samconfig.toml").read_text())[section]["deploy"]["parameters"]
    overrides = dict(text.split("=", 1) for text in given["parameter_overrides"])
    defaults = {name: p["Default"] for name, p in template()["Parameters"].items() if "Default" in p}
    return {**defaults, **overrides}


SECTIONS = ["default", "dev", "staging", "prod"]
DEPLOYED = [
    pytest.param(parameters(section), workload, id=f"{section}-{workload.workload}")
    for section in SECTIONS
    for workload in load_workloads(ROOT / "workloads", parameters(section)["Environment"])
]


def filled(text: str, values: dict[str, str]) -> str:
    """!Sub, with pseudo parameters as stars."""
    return re.sub(r"\$\{([\w:]+)\}", lambda m: values.get(m[1], "*"), text)


def test_every_environment_is_deployed_by_a_section():
    assert {parameters(section)["Environment"] for section in SECTIONS} == set(Environment)


@pytest.mark.parametrize(("values", "workload"), DEPLOYED)
def test_the_deployed_topic_is_the_one_that_the_manifest_names(values: dict[str, str], workload: Workload):
    assert resources("AWS::SNS::Topic")["AlertsTopic"]["TopicName"] == {"Ref": "AlertsTopicName"}
    assert values["AlertsTopicName"] == workload.notifications.topic == f"{workload.workload}-alerts"


@pytest.mark.parametrize(("values", "workload"), DEPLOYED)
def test_every_channels_secret_may_be_read_and_no_other_environments(
    values: dict[str, str], workload: Workload
):
    pattern = filled(statements("TellPeople")["ChannelSecrets"]["Resource"]["Fn::Sub"], values)
    secrets = [w.secret for w in workload.notifications.channels.values() if isinstance(w, SecretChannel)]

    def arn(name: str) -> str:  # Secrets Manager adds six characters of its own to each name
        return f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-AbC123"

    assert secrets
    assert all(fnmatch.fnmatchcase(arn(name), pattern) for name in secrets)
    others = set(Environment) - {workload.environment}
    foreign = [name.replace(workload.environment, other) for name in secrets for other in others]
    assert not any(fnmatch.fnmatchcase(arn(name), pattern) for name in foreign)


TELLERS = ("TellPeople", "TellRelease")


def test_only_the_rooms_that_tell_and_the_sweep_may_tell_and_only_the_former_read_secrets():
    for teller in TELLERS:
        assert granted(teller, "Ledger") == {"sns:Publish", "secretsmanager:GetSecretValue"}
        assert statements(teller)["Topic"]["Resource"] == {"Ref": "AlertsTopic"}
        assert statements(teller) == statements("TellPeople")
    others = set(resources("AWS::Serverless::Function")) - set(TELLERS)
    assert [f for f in others if "sns:Publish" in granted(f)] == ["Sweep"]
    assert not [f for f in others if "secretsmanager:GetSecretValue" in granted(f)]
    machine = json.dumps(resources("AWS::Serverless::StateMachine")["Respond"]["Policies"])
    assert "sns:" not in machine


def test_the_room_is_told_the_topic():
    variables = resources("AWS::Serverless::Function")["TellPeople"]["Environment"]["Variables"]

    assert variables == {"SELFRIGHT_ALERTS_TOPIC_ARN": {"Ref": "AlertsTopic"}}


def test_a_notice_that_fails_raises_an_alarm():
    alarm: dict[str, Any] = resources("AWS::CloudWatch::Alarm")["NoticesFailed"]

    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        variables["POWERTOOLS_METRICS_NAMESPACE"],
        "NoticesFailed",
    )
    assert alarm["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}]
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (0, "notBreaching")
    assert alarm["AlarmActions"] == [{"Ref": "AlertsTopic"}]


def test_dead_channels_are_tried_again_over_minutes_and_then_left():
    retry = next(rule for rule in TELL["Retry"] if "ChannelDownError" in rule["ErrorEquals"])

    assert set(retry["ErrorEquals"]) == {"ChannelDownError", "NobodyToldError"}
    waits = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** n, retry["MaxDelaySeconds"])
        for n in range(retry["MaxAttempts"])
    ]
    assert waits == [10, 20, 40, 80]  # at most: full jitter takes any part of each


def test_only_where_somebody_was_told_the_execution_succeeds_in_part():
    partly, otherwise = TELL["Catch"]

    assert (partly["ErrorEquals"], partly["Next"]) == (["ChannelDownError"], "Told in part")
    assert MACHINE["States"]["Told in part"]["Type"] == "Succeed"
    assert otherwise["Next"] == "Fail openly"
