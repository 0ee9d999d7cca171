"""CloudFormation as it tells of stacks, drift and change sets, and the calls that change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from selfright.adapters.stacks import CAPABILITIES, LONGEST_BODY, CloudFormationStacks
from selfright.domain.errors import BusyError, NotFoundError, RefusedError, ThrottledError
from selfright.domain.release.change_risk import Detail, ResourceChange
from selfright.domain.release.stack import ChangeSet, Drifted, DriftLook, StackState
from selfright.stack_ports import TemplateText
from tests.unit.adapters.conftest import Stubbed

NAME, SET, ROLE = "shop-development", "selfright-shop-42", "arn:aws:iam::123456789012:role/shop-stack"
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
GONE = f"Stack with id {NAME} does not exist"
TEXT = "Parameters: {Limit: {Type: Number}, New: {Type: String, Default: x}}\nResources: {}\n"


@pytest.fixture
def stacks(stubbed: Stubbed) -> CloudFormationStacks:
    return CloudFormationStacks(stubbed.aws, ROLE)


def cloudformation(stubbed: Stubbed, operation: str, answer: dict[str, Any], **expected: Any) -> None:
    stubbed.answer("cloudformation", operation, answer, **expected)


def is_there(stubbed: Stubbed, status: str = "UPDATE_COMPLETE", **more: Any) -> None:
    told = {"StackName": NAME, "CreationTime": AT, "StackStatus": status, **more}
    cloudformation(stubbed, "describe_stacks", {"Stacks": [told]}, StackName=NAME)


def test_a_stack_and_what_it_does_not_tell(stubbed: Stubbed, stacks: CloudFormationStacks):
    values = [
        {"ParameterKey": "Limit", "ParameterValue": "5"},
        {"ParameterKey": "Secret", "ParameterValue": "****"},
    ]
    is_there(stubbed, Parameters=values, StackStatusReason="well")

    assert stacks.state(NAME) == StackState(
        status="UPDATE_COMPLETE", reason="well", parameters={"Limit": "5", "Secret": None}
    )


def test_a_stack_that_is_not_there(stubbed: Stubbed, stacks: CloudFormationStacks):
    stubbed.refuse("cloudformation", "describe_stacks", "ValidationError", GONE)
    with pytest.raises(NotFoundError):
        stacks.state(NAME)


def test_where_it_drifted(stubbed: Stubbed, stacks: CloudFormationStacks):
    drift = {
        "StackId": "id",
        "StackDriftDetectionId": "d",
        "DetectionStatus": "DETECTION_COMPLETE",
        "Timestamp": AT,
    }
    cloudformation(stubbed, "describe_stack_drift_detection_status", {**drift, "StackDriftStatus": "DRIFTED"})
    one = {"StackId": "id", "Timestamp": AT, "ResourceType": "AWS::Lambda::Alias"}
    moved = {
        "LogicalResourceId": "Live",
        "StackResourceDriftStatus": "MODIFIED",
        "PropertyDifferences": [
            {
                "PropertyPath": "/FunctionVersion",
                "ExpectedValue": "1",
                "ActualValue": "2",
                "DifferenceType": "NOT_EQUAL",
            }
        ],
    }
    gone = {"LogicalResourceId": "Gone", "StackResourceDriftStatus": "DELETED"}
    cloudformation(
        stubbed,
        "describe_stack_resource_drifts",
        {"StackResourceDrifts": [{**one, **moved}], "NextToken": "2"},
    )
    cloudformation(stubbed, "describe_stack_resource_drifts", {"StackResourceDrifts": [{**one, **gone}]})

    found = stacks.drift(NAME, "d")

    kind = "AWS::Lambda::Alias"
    assert found == DriftLook(
        detection="DETECTION_COMPLETE",
        status="DRIFTED",
        drifted=(
            Drifted(resource="Live", kind=kind, status="MODIFIED", properties=("/FunctionVersion",)),
            Drifted(resource="Gone", kind=kind, status="DELETED"),
        ),
    )
    assert found.objection() == "not as its template says: Gone deleted"


def test_a_change_set_is_read_to_its_last_page(stubbed: Stubbed, stacks: CloudFormationStacks):
    table = {
        "Action": "Modify",
        "LogicalResourceId": "Orders",
        "ResourceType": "AWS::DynamoDB::Table",
        "Replacement": "Conditional",
        "PolicyAction": "ReplaceAndRetain",
        "Details": [
            {
                "Target": {"Attribute": "Properties", "Name": "TableName", "RequiresRecreation": "Always"},
                "Evaluation": "Dynamic",
                "ChangeSource": "ResourceAttribute",
                "CausingEntity": "Names.Table",
            }
        ],
    }
    first = {
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "Changes": [{"Type": "Resource", "ResourceChange": table}],
        "Parameters": [{"ParameterKey": "Limit", "ParameterValue": "6"}],
    }
    cloudformation(
        stubbed, "describe_change_set", {**first, "NextToken": "2"}, StackName=NAME, ChangeSetName=SET
    )
    # of a kind that came after this was written
    cloudformation(stubbed, "describe_change_set", {"Changes": [{"Type": "Hook"}]})

    assert stacks.change_set(NAME, SET) == ChangeSet(
        status="CREATE_COMPLETE",
        execution="AVAILABLE",
        parameters=frozenset({"Limit"}),
        changes=(
            ResourceChange(
                action="Modify",
                resource="Orders",
                kind="AWS::DynamoDB::Table",
                replacement="Conditional",
                policy="ReplaceAndRetain",
                details=(
                    Detail(
                        attribute="Properties",
                        name="TableName",
                        recreation="Always",
                        evaluation="Dynamic",
                        source="ResourceAttribute",
                        cause="Names.Table",
                    ),
                ),
            ),
            ResourceChange(action="Hook", resource="-", kind="unknown"),
        ),
    )


@pytest.mark.parametrize("code", ["ChangeSetNotFound", "ChangeSetNotFoundException"])
def test_no_change_set_of_that_name(stubbed: Stubbed, stacks: CloudFormationStacks, code: str):
    stubbed.refuse("cloudformation", "describe_change_set", code)

    assert stacks.change_set(NAME, SET) is None


def test_a_change_set_is_asked_for_with_the_values_from_before(
    stubbed: Stubbed, stacks: CloudFormationStacks
):
    known = [{"ParameterKey": key, "ParameterValue": "5"} for key in ("Limit", "Dropped")]
    is_there(stubbed, Parameters=known)
    cloudformation(
        stubbed,
        "create_change_set",
        {},
        StackName=NAME,
        ChangeSetName=SET,
        ClientToken=SET,
        Parameters=[{"ParameterKey": "Limit", "UsePreviousValue": True}],
        Capabilities=CAPABILITIES,
        TemplateBody=TEXT,
        RoleARN=ROLE,
    )

    stacks.propose(NAME, SET, TemplateText(TEXT), {})


def test_a_long_template_is_fetched_from_where_it_cannot_change(
    stubbed: Stubbed, stacks: CloudFormationStacks
):
    text = TEXT + "#" * LONGEST_BODY
    is_there(stubbed)
    with pytest.raises(RefusedError, match="bucket that keeps versions"):
        stacks.propose(NAME, SET, TemplateText(text), {})

    url = "https://s3.eu-central-1.amazonaws.com/shop-artifacts/42.yaml?versionId=v1"
    is_there(stubbed)
    wanted = {"StackName": NAME, "ChangeSetName": SET, "ClientToken": SET, "Capabilities": CAPABILITIES}
    values = [{"ParameterKey": "Limit", "ParameterValue": "6"}]
    cloudformation(
        stubbed, "create_change_set", {}, **wanted, Parameters=values, TemplateURL=url, RoleARN=ROLE
    )
    stacks.propose(NAME, SET, TemplateText(text, url), {"Limit": "6"})


def test_a_parameter_that_nobody_declares(stubbed: Stubbed, stacks: CloudFormationStacks):
    is_there(stubbed)
    with pytest.raises(RefusedError, match="no parameter Limti"):
        stacks.propose(NAME, SET, TemplateText(TEXT), {"Limti": "6"})


def test_a_change_set_that_was_made_before_the_room_died(stubbed: Stubbed, stacks: CloudFormationStacks):
    is_there(stubbed)
    stubbed.refuse("cloudformation", "create_change_set", "AlreadyExistsException")
    cloudformation(stubbed, "describe_change_set", {"Status": "CREATE_IN_PROGRESS"})

    stacks.propose(NAME, SET, TemplateText(TEXT), {})


CALLS: dict[str, Callable[[CloudFormationStacks], object]] = {
    "execute_change_set": lambda stacks: stacks.execute(NAME, SET),
    "continue_update_rollback": lambda stacks: stacks.go_on_rolling_back(NAME),
    "detect_stack_drift": lambda stacks: stacks.look_for_drift(NAME),
}


@pytest.mark.parametrize(
    ("operation", "told", "error"),
    [
        ("execute_change_set", ("InvalidChangeSetStatus", "it is EXECUTE_IN_PROGRESS"), BusyError),
        ("execute_change_set", ("ValidationError", "Stack is in UPDATE_IN_PROGRESS state"), BusyError),
        ("execute_change_set", ("ChangeSetNotFound", "no"), NotFoundError),
        ("execute_change_set", ("AccessDenied", "not authorized"), RefusedError),
        ("execute_change_set", ("Throttling", "Rate exceeded"), ThrottledError),
        ("continue_update_rollback", ("ValidationError", "cannot be called"), RefusedError),
        ("detect_stack_drift", ("ValidationError", "Drift detection is in progress"), BusyError),
    ],
)
def test_what_cloudformation_does_not_do(
    stubbed: Stubbed,
    stacks: CloudFormationStacks,
    operation: str,
    told: tuple[str, str],
    error: type[Exception],
):
    stubbed.refuse("cloudformation", operation, *told)

    with pytest.raises(error):
        CALLS[operation](stacks)


def test_only_what_is_named_is_skipped(stubbed: Stubbed, stacks: CloudFormationStacks):
    cloudformation(stubbed, "continue_update_rollback", {}, StackName=NAME, ResourcesToSkip=["Late"])
    cloudformation(stubbed, "continue_update_rollback", {}, StackName=NAME)

    stacks.go_on_rolling_back(NAME, ["Late"])
    stacks.go_on_rolling_back(NAME)


def test_what_failed_first(stubbed: Stubbed, stacks: CloudFormationStacks):
    def event(minute: int, resource: str, status: str, reason: str = "") -> dict[str, Any]:
        told = {"StackId": "id", "EventId": str(minute), "StackName": NAME, "LogicalResourceId": resource}
        at = AT.replace(minute=minute)
        return {**told, "ResourceStatus": status, "ResourceStatusReason": reason, "Timestamp": at}

    newest_first = [
        event(4, "Other", "CREATE_FAILED", "Resource creation cancelled"),
        event(3, "Letters", "CREATE_FAILED", "no such key"),
        event(2, "Letters", "CREATE_IN_PROGRESS"),
        event(0, "Orders", "UPDATE_FAILED", "long ago"),
    ]
    cloudformation(stubbed, "describe_stack_events", {"StackEvents": newest_first, "NextToken": "2"})

    assert stacks.failure(NAME, AT.replace(minute=1)) == "Letters CREATE_FAILED: no such key"


def test_templates_as_text_and_as_data(stubbed: Stubbed, stacks: CloudFormationStacks):
    cloudformation(stubbed, "get_template", {"TemplateBody": TEXT}, StackName=NAME, TemplateStage="Original")
    cloudformation(
        stubbed,
        "get_template",
        {"TemplateBody": '{"Resources": {"Orders": {"Type": "x"}}}'},
        StackName=NAME,
        TemplateStage="Processed",
        ChangeSetName=SET,
    )

    assert stacks.template(NAME) == TEXT
    assert stacks.resources(NAME, SET) == {"Orders": {"Type": "x"}}
