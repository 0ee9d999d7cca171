"""Definitions that AWS refuses are refused: by CreateStateMachine, UpdateStateMachine and CloudFormation."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.server import ACCOUNT, REGION, Server
from tests.sandbox.emulator.state_machines import (
    ROLE,
    Definition,
    client,
    create,
    ended,
    eventually,
    jsonata,
    jsonpath,
    pass_,
    start,
    task,
)

DYNAMODB = "aws-sdk:dynamodb:listTables"
FINE: Definition = jsonata(A=pass_())


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ("{not json", "INVALID_JSON_DESCRIPTION"),
        ({"StartAt": "A"}, "SCHEMA_VALIDATION_FAILED"),
        (jsonata(A={"Type": "Nonsense", "End": True}), "SCHEMA_VALIDATION_FAILED"),
        (jsonata(A={**pass_(), "Surprise": 1}), "SCHEMA_VALIDATION_FAILED"),
        (
            jsonata(A=task(DYNAMODB, Retry=[{"ErrorEquals": ["States.ALL", "Other"]}])),
            "SCHEMA_VALIDATION_FAILED",
        ),
        (jsonata(A=task(DYNAMODB, TimeoutSeconds=5, HeartbeatSeconds=9)), "SCHEMA_VALIDATION_FAILED"),
        (jsonata(A=pass_(Output="{% $states.input. %}")), "INVALID_JSONATA_EXPRESSION"),
        (jsonata(A=pass_(Next="Gone")), "Missing 'Next' target: Gone at /States/A"),
        (jsonata("Gone", A=pass_()), "Missing 'StartAt' target: Gone at /StartAt"),
        (jsonata(A=pass_(), B=pass_()), 'State "B" is not reachable. at /States/B'),
        (
            jsonata(A=task(DYNAMODB, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Gone"}])),
            "Missing 'Next' target: Gone at /States/A",
        ),
        (
            jsonata(
                A={
                    "Type": "Parallel",
                    "Branches": [{"StartAt": "In", "States": {"In": pass_(Next="A")}}],
                    "End": True,
                }
            ),
            "Missing 'Next' target: A at /States/A/States/In",
        ),
    ],
)
def test_a_bad_definition_is_refused_with_its_reason(aws: Server, definition: Any, reason: str):
    # Given a machine, and a definition that breaks a rule
    machine = create(aws, FINE)
    states, text = (
        client(aws, "stepfunctions"),
        definition if isinstance(definition, str) else json.dumps(definition),
    )
    # When it is used to create and to update
    for call in (
        lambda: create(aws, text),
        lambda: states.update_state_machine(stateMachineArn=machine, definition=text),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        # Then both say what is wrong
        assert refused.value.response["Error"]["Code"] == "InvalidDefinition"
        assert reason in refused.value.response["Error"]["Message"]
    # And the machine is as it was
    assert json.loads(states.describe_state_machine(stateMachineArn=machine)["definition"]) == FINE


def test_a_refused_definition_does_not_spoil_the_next_one(aws: Server):
    # Given a JSONata definition that is refused halfway
    with pytest.raises(ClientError):
        create(aws, jsonata(A=task(DYNAMODB, TimeoutSeconds=5, HeartbeatSeconds=9)))
    # When a JSONPath definition follows / Then it is taken
    assert create(aws, jsonpath(A={"Type": "Wait", "SecondsPath": "$.n", "End": True}))


def deploy(aws: Server, definition: Definition, **properties: Any) -> dict[str, Any]:
    """A stack of one machine, after its creation has ended."""
    cloudformation, name = client(aws, "cloudformation"), f"stack-{uuid.uuid4().hex[:12]}"
    machine = {"DefinitionString": json.dumps(definition), "RoleArn": ROLE, **properties}
    resources = {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}}
    outputs = {"Arn": {"Value": {"Ref": "Machine"}}}
    cloudformation.create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": resources, "Outputs": outputs})
    )
    found = eventually(
        lambda: cloudformation.describe_stacks(StackName=name)["Stacks"][0],
        lambda it: not it["StackStatus"].endswith("_IN_PROGRESS"),
    )
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return {**found, "reasons": " ".join(event.get("ResourceStatusReason", "") for event in events)}


def test_a_template_with_a_bad_definition_is_rolled_back(aws: Server):
    # Given / When
    stack = deploy(aws, jsonata(A=pass_(Next="Gone")))
    # Then
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Missing 'Next' target: Gone at /States/A" in stack["reasons"]


def test_logging_and_substitutions_of_a_template_take_effect(aws: Server):
    # Given a template with a log group and a placeholder
    group = f"/machines/{uuid.uuid4().hex[:12]}"
    client(aws, "logs").create_log_group(logGroupName=group)
    destination = {
        "CloudWatchLogsLogGroup": {"LogGroupArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"}
    }
    stack = deploy(
        aws,
        jsonata(A=pass_(Output="${Word}")),
        DefinitionSubstitutions={"Word": "hello"},
        LoggingConfiguration={"Level": "ALL", "IncludeExecutionData": True, "Destinations": [destination]},
    )
    # When its machine runs
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack["reasons"]
    done = ended(aws, start(aws, stack["Outputs"][0]["OutputValue"]))
    # Then the placeholder is filled and the log group holds the run
    assert done.output == "hello"
    assert len(client(aws, "logs").filter_log_events(logGroupName=group)["events"]) == 4
