"""Resource types and properties that templates of ours use and plain MiniStack refuses or drops."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.emulator.cloudformation_shapes import PropertyError, typed
from sandbox.server import Server
from tests.sandbox.emulator.alarms import described, unique
from tests.sandbox.emulator.lambda_functions import eventually

DONE = ("COMPLETE", "FAILED")
TABLE_KEY = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
}
PASS = json.dumps({"StartAt": "Do", "States": {"Do": {"Type": "Pass", "End": True}}})
ROLE = "arn:aws:iam::000000000000:role/any"


def deploy(aws: Server, name: str, resources: dict[str, Any], *, update: bool = False) -> str:
    """Create or update a stack; its final status."""
    client = aws.client("cloudformation")
    call = client.update_stack if update else client.create_stack
    template = {"Parameters": {"Units": {"Type": "Number", "Default": 7}}, "Resources": resources}
    call(StackName=name, TemplateBody=json.dumps(template))
    status = eventually(
        lambda: client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"],
        lambda status: status.endswith(DONE) and "IN_PROGRESS" not in status,
    )
    return str(status)


def reasons(aws: Server, name: str) -> str:
    events = aws.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return " | ".join(event.get("ResourceStatusReason", "") for event in events)


def physical_id(aws: Server, stack: str, logical_id: str) -> str:
    detail = aws.client("cloudformation").describe_stack_resource(
        StackName=stack, LogicalResourceId=logical_id
    )
    return str(detail["StackResourceDetail"]["PhysicalResourceId"])


def alarm(**properties: Any) -> dict[str, Any]:
    given = {
        "Namespace": "Test",
        "MetricName": "m",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**given, **properties}}


def math_alarm(expression: str) -> dict[str, Any]:
    metric = {"Namespace": "Test", "MetricName": "errors"}
    queries = [
        {"Id": "rate", "Expression": expression, "ReturnData": "true"},
        {
            "Id": "errors",
            "MetricStat": {"Metric": metric, "Period": "60", "Stat": "Sum"},
            "ReturnData": "false",
        },
    ]
    properties = {
        "EvaluationPeriods": {"Ref": "Units"},
        "Threshold": "2.5",
        "ComparisonOperator": "GreaterThanThreshold",
        "Metrics": queries,
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def test_a_metric_math_alarm_with_the_numbers_of_a_template(aws: Server):
    stack = unique("stack")
    assert deploy(aws, stack, {"Rate": math_alarm("errors * 100")}) == "CREATE_COMPLETE"
    shown = described(aws, physical_id(aws, stack, "Rate"))
    assert shown["EvaluationPeriods"] == 7
    assert shown["Threshold"] == 2.5
    assert shown["Metrics"][1]["MetricStat"]["Period"] == 60
    assert shown["Metrics"][1]["ReturnData"] is False
    assert "MetricName" not in shown


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        (math_alarm("errors +"), "Expression"),
        (alarm(Period=45), "Period"),
        (alarm(Threshhold=5), "Encountered unsupported property Threshhold"),
        (
            {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": "ALARM(nowhere)"}},
            "nowhere",
        ),
        (
            {"Type": "AWS::DynamoDB::Table", "Properties": {**TABLE_KEY, "Throughput": {}}},
            "Encountered unsupported property Throughput",
        ),
        (
            {
                "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
                "Properties": {
                    "ServiceNamespace": "dynamodb",
                    "ResourceId": "table/nowhere",
                    "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
                    "MinCapacity": 1,
                    "MaxCapacity": 5,
                },
            },
            "does not exist",
        ),
    ],
)
def test_what_the_api_refuses_fails_the_stack(aws: Server, resource: dict[str, Any], named: str):
    stack = unique("stack")
    assert deploy(aws, stack, {"It": resource}) == "ROLLBACK_COMPLETE"
    assert named in reasons(aws, stack)


def test_a_composite_alarm_is_created_updated_and_deleted(aws: Server):
    stack = unique("stack")

    def resources(rule: str) -> dict[str, Any]:
        properties = {
            "AlarmRule": {"Fn::Sub": rule},
            "ActionsSuppressor": {"Ref": "Deploying"},
            "ActionsSuppressorWaitPeriod": "60",
            "ActionsSuppressorExtensionPeriod": 60,
        }
        composite = {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": properties}
        return {"Child": alarm(), "Deploying": alarm(), "Both": composite}

    assert deploy(aws, stack, resources('ALARM("${Child}")')) == "CREATE_COMPLETE"
    name = physical_id(aws, stack, "Both")
    child = physical_id(aws, stack, "Child")
    shown = described(aws, name)
    assert shown["AlarmRule"] == f'ALARM("{child}")'
    assert shown["ActionsSuppressor"] == physical_id(aws, stack, "Deploying")
    assert shown["ActionsSuppressorWaitPeriod"] == 60
    updated = deploy(aws, stack, resources('NOT OK("${Child}")'), update=True)
    assert updated == "UPDATE_COMPLETE"
    assert described(aws, name)["AlarmRule"] == f'NOT OK("{child}")'
    cloudformation = aws.client("cloudformation")
    cloudformation.delete_stack(StackName=stack)
    cloudwatch = aws.client("cloudwatch")
    left = eventually(
        lambda: cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])[
            "CompositeAlarms"
        ],
        lambda alarms: not alarms,
    )
    assert left == []


def test_versions_and_aliases_of_state_machines(aws: Server):
    stack = unique("stack")
    version = {"Type": "AWS::StepFunctions::StateMachineVersion"}
    resources = {
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"DefinitionString": PASS, "RoleArn": ROLE},
        },
        "First": {**version, "Properties": {"StateMachineArn": {"Ref": "Machine"}, "Description": "one"}},
        "Live": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {
                "Name": "live",
                "RoutingConfiguration": [{"StateMachineVersionArn": {"Ref": "First"}, "Weight": "100"}],
            },
        },
    }
    assert deploy(aws, stack, resources) == "CREATE_COMPLETE"
    client = aws.client("stepfunctions")
    shown = client.describe_state_machine_alias(stateMachineAliasArn=physical_id(aws, stack, "Live"))
    assert shown["name"] == "live"
    assert shown["routingConfiguration"] == [
        {"stateMachineVersionArn": physical_id(aws, stack, "First"), "weight": 100}
    ]
    assert physical_id(aws, stack, "First").endswith(":1")


def test_a_table_is_set_up_as_its_template_says(aws: Server):
    stack = unique("stack")
    provisioned = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            **TABLE_KEY,
            "ProvisionedThroughput": {"ReadCapacityUnits": {"Ref": "Units"}, "WriteCapacityUnits": "3"},
            "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": "true"},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
    }
    on_demand = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            **TABLE_KEY,
            "BillingMode": "PAY_PER_REQUEST",
            "OnDemandThroughput": {"MaxWriteRequestUnits": "40"},
        },
    }
    assert deploy(aws, stack, {"Fixed": provisioned, "Free": on_demand}) == "CREATE_COMPLETE"
    client, fixed = aws.client("dynamodb"), physical_id(aws, stack, "Fixed")
    throughput = client.describe_table(TableName=fixed)["Table"]["ProvisionedThroughput"]
    assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (7, 3)
    ttl = client.describe_time_to_live(TableName=fixed)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    backups = client.describe_continuous_backups(TableName=fixed)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    free = client.describe_table(TableName=physical_id(aws, stack, "Free"))["Table"]
    assert free["ProvisionedThroughput"]["WriteCapacityUnits"] == 0
    assert free["OnDemandThroughput"] == {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 40}
    # When the stack changes the capacity, it is complete only when the table is ACTIVE again
    provisioned["Properties"]["ProvisionedThroughput"] = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 30}
    assert deploy(aws, stack, {"Fixed": provisioned, "Free": on_demand}, update=True) == "UPDATE_COMPLETE"
    table = client.describe_table(TableName=fixed)["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 30


def test_autoscaling_and_mute_rules_in_a_template(aws: Server):
    stack = unique("stack")
    resources = {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                **TABLE_KEY,
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            },
        },
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {
                "ServiceNamespace": "dynamodb",
                "ResourceId": {"Fn::Sub": "table/${Table}"},
                "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
                "MinCapacity": "5",
                "MaxCapacity": 100,
            },
        },
        "Policy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "keep",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": "70",
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "DynamoDBWriteCapacityUtilization"
                    },
                },
            },
        },
        "Quiet": {
            "Type": "AWS::CloudWatch::AlarmMuteRule",
            "Properties": {
                "Rule": {"Schedule": {"Expression": "cron(0 2 * * SUN)", "Duration": "PT2H"}},
                "MuteTargets": {"AlarmNames": ["any"]},
            },
        },
    }
    assert deploy(aws, stack, resources) == "CREATE_COMPLETE", reasons(aws, stack)
    table = physical_id(aws, stack, "Table")
    scaling = aws.client("application-autoscaling")
    policies = scaling.describe_scaling_policies(ServiceNamespace="dynamodb", ResourceId=f"table/{table}")
    configuration = policies["ScalingPolicies"][0]["TargetTrackingScalingPolicyConfiguration"]
    assert configuration["TargetValue"] == 70.0
    rule = physical_id(aws, stack, "Quiet")
    assert aws.client("cloudwatch").get_alarm_mute_rule(AlarmMuteRuleName=rule)["MuteType"] == "RECURRING"
    # When the stack goes, so do they
    aws.client("cloudformation").delete_stack(StackName=stack)
    left = eventually(
        lambda: scaling.describe_scalable_targets(
            ServiceNamespace="dynamodb", ResourceIds=[f"table/{table}"]
        )["ScalableTargets"],
        lambda targets: not targets,
    )
    assert left == []


def test_an_inline_policy_becomes_the_queues_policy(aws: Server):
    stack = unique("stack")
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [allow]}
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Policy": {
            "Type": "AWS::SQS::QueueInlinePolicy",
            "Properties": {"Queue": {"Ref": "Queue"}, "PolicyDocument": document},
        },
    }
    assert deploy(aws, stack, resources) == "CREATE_COMPLETE", reasons(aws, stack)
    url = physical_id(aws, stack, "Queue")
    found = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    assert json.loads(found["Attributes"]["Policy"]) == document


def test_properties_get_the_types_of_the_api():
    given = {"AlarmName": "a", "EvaluationPeriods": "3", "Threshold": "0.5", "ActionsEnabled": "false"}
    assert typed("cloudwatch", "PutMetricAlarmInput", given) == {
        "AlarmName": "a",
        "EvaluationPeriods": 3,
        "Threshold": 0.5,
        "ActionsEnabled": False,
    }


@pytest.mark.parametrize(
    "given",
    [
        {"Nonsense": 1},
        {"Threshold": "high"},
        {"Metrics": {}},
        {"Dimensions": ["a"]},
        {"ActionsEnabled": "perhaps"},
    ],
)
def test_properties_of_other_names_or_types_are_refused(given: dict[str, Any]):
    with pytest.raises(PropertyError):
        typed("cloudwatch", "PutMetricAlarmInput", given)
