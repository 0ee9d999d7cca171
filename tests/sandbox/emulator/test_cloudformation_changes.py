"""Change sets, drift and events of a stack whose alias moves."""

from __future__ import annotations

import json
from typing import Any

from sandbox.server import Server
from tests.sandbox.emulator.alarms import unique
from tests.sandbox.emulator.lambda_functions import create, publish
from tests.sandbox.emulator.test_cloudformation_types import deploy

CODE = "def handler(event, context): return 1\n"


def stack(function: str, version: str) -> dict[str, Any]:
    """An alias that points to the version of that name, as SAM writes it."""
    made = {
        "Type": "AWS::Lambda::Version",
        "DeletionPolicy": "Retain",
        "Properties": {"FunctionName": function},
    }
    points = {
        "FunctionName": function,
        "Name": "live",
        "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
    }
    return {version: made, "Live": {"Type": "AWS::Lambda::Alias", "Properties": points}}


def test_a_change_set_lists_an_alias_that_moves_with_another_version(aws: Server):
    name, function, client = unique("moves"), create(aws, CODE), aws.client("cloudformation")
    assert deploy(aws, name, stack(function, "First")) == "CREATE_COMPLETE"
    publish(aws, function, f"{CODE}# again\n")

    template = {
        "Parameters": {"Units": {"Type": "Number", "Default": 7}},
        "Resources": stack(function, "Second"),
    }
    client.create_change_set(StackName=name, ChangeSetName="next", TemplateBody=json.dumps(template))

    told = client.describe_change_set(StackName=name, ChangeSetName="next")["Changes"]
    changes = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in told}
    assert {key: change["Action"] for key, change in changes.items()} == {
        "First": "Remove",
        "Second": "Add",
        "Live": "Modify",
    }
    assert [detail["Target"]["Name"] for detail in changes["Live"]["Details"]] == ["FunctionVersion"]


def test_an_alias_that_somebody_moved_has_drifted(aws: Server):
    name, function, client = unique("drifts"), create(aws, CODE), aws.client("cloudformation")
    deploy(aws, name, stack(function, "First"))
    again = publish(aws, function, f"{CODE}# again\n")
    aws.client("lambda").update_alias(FunctionName=function, Name="live", FunctionVersion=again)

    look = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]

    status = client.describe_stack_drift_detection_status(StackDriftDetectionId=look)
    assert (status["DetectionStatus"], status["StackDriftStatus"]) == ("DETECTION_COMPLETE", "DRIFTED")
    (drift,) = client.describe_stack_resource_drifts(
        StackName=name, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
    )["StackResourceDrifts"]
    assert drift["LogicalResourceId"] == "Live"
    assert [one["PropertyPath"] for one in drift["PropertyDifferences"]] == ["/FunctionVersion"]


def test_events_are_told_in_sandbox_time(aws: Server):
    name, before = unique("events"), aws.now()
    deploy(
        aws, name, {"Note": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}}
    )

    events = aws.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]

    assert all(before - 1 <= event["Timestamp"].timestamp() <= aws.now() for event in events)
