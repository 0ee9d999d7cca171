"""What a change set would do that is asked about, or not done at all."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.domain.release.change_risk import (
    Detail,
    Outcome,
    ResourceChange,
    Risk,
    findings,
    overall,
    told,
)

TABLE, QUEUE, ALARM = "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::CloudWatch::Alarm"


def change(kind: str, action: str = "Modify", **more: Any) -> ResourceChange:
    given: dict[str, Any] = {"replacement": "False"} if action == "Modify" else {}
    return ResourceChange(action=action, resource="Thing", kind=kind, **{**given, **more})


def detail(name: str = "Name", **more: str) -> Detail:
    given = {"attribute": "Properties", "evaluation": "Static", "source": "DirectModification"}
    return Detail(name=name, recreation="Never", **{**given, **more})


def found(one: ResourceChange, **resources: Any) -> tuple[Outcome, set[Risk]]:
    seen = findings([one], **resources)
    return overall(seen), {finding.risk for finding in seen}


@pytest.mark.parametrize(
    "one",
    [
        change(TABLE, "Add"),
        change(TABLE, details=(detail("BillingMode"),)),
        change(ALARM, "Remove", policy="Delete"),
        change(ALARM, replacement="True", policy="ReplaceAndDelete"),
        change(ALARM, replacement="Conditional", details=(detail("AlarmName", evaluation="Dynamic"),)),
        change("AWS::Lambda::Alias", "Add"),
        change("AWS::Lambda::Alias", details=(detail("ProvisionedConcurrencyConfig"),)),
        change("AWS::Lambda::Version", "Remove", policy="Retain"),
        change("AWS::Lambda::Function", details=(detail("MemorySize"),)),
        change("AWS::Lambda::Permission", "Remove", policy="Delete"),
    ],
)
def test_what_goes(one: ResourceChange):
    known = {"before": {"Thing": {"Properties": {}}}, "after": {}}

    assert found(one, **known) == (Outcome.GO, set())


@pytest.mark.parametrize(
    ("one", "risk"),
    [
        (change(TABLE, "Remove", policy="Delete"), Risk.DATA_LOST),
        (change(TABLE, "Remove"), Risk.DATA_LOST),  # nothing said: CloudFormation deletes
        (change(TABLE, "Remove", policy="Snapshot"), Risk.DATA_LOST),
        (change(QUEUE, replacement="True", policy="ReplaceAndDelete"), Risk.DATA_LOST),
        (change("AWS::KMS::Key", "Remove", policy="Delete"), Risk.DATA_LOST),
        (change("AWS::Logs::LogGroup", replacement="True"), Risk.DATA_LOST),
        (change("AWS::Lambda::Alias", details=(detail("FunctionVersion"),)), Risk.TRAFFIC_SHIFTED),
        (change("AWS::Lambda::Alias", details=(detail("RoutingConfig"),)), Risk.TRAFFIC_SHIFTED),
        (change("AWS::Lambda::Alias", replacement="True", details=(detail("Name"),)), Risk.TRAFFIC_SHIFTED),
        (change("AWS::Lambda::Alias"), Risk.TRAFFIC_SHIFTED),  # it does not say what changes
        (change("AWS::Lambda::Alias", "Remove", policy="Delete"), Risk.TRAFFIC_SHIFTED),
        (change("AWS::Lambda::Version", "Remove", policy="Delete"), Risk.VERSION_DELETED),
        (change("AWS::Lambda::Version", replacement="True"), Risk.VERSION_DELETED),
    ],
)
def test_what_stops(one: ResourceChange, risk: Risk):
    assert found(one) == (Outcome.STOP, {risk})


@pytest.mark.parametrize(
    ("one", "risk"),
    [
        (change(TABLE, "Remove", policy="Retain"), Risk.LEFT_BEHIND),
        (change(TABLE, replacement="True", policy="ReplaceAndRetain"), Risk.LEFT_BEHIND),
        (
            change(TABLE, replacement="Conditional", details=(detail(evaluation="Dynamic"),)),
            Risk.MAYBE_REPLACED,
        ),
        (change("AWS::Lambda::Function", "Remove", policy="Delete"), Risk.NOT_KNOWN),
        (change("AWS::Unheard::Of", replacement="True"), Risk.NOT_KNOWN),
        (change(ALARM, replacement=None), Risk.NOT_KNOWN),
        (change(TABLE, "Dynamic"), Risk.NOT_KNOWN),
        (change(TABLE, "Import"), Risk.NOT_KNOWN),
        (change("AWS::CloudFormation::Stack"), Risk.NOT_SEEN_INTO),
        (change("Custom::Migration", "Add"), Risk.NOT_SEEN_INTO),
        (change("AWS::CloudFormation::CustomResource", "Add"), Risk.NOT_SEEN_INTO),
        (change("unknown", "Hook"), Risk.NOT_KNOWN),
        (change("AWS::Lambda::Function", details=(detail("Role"),)), Risk.PERMISSIONS_UNKNOWN),
        (change("AWS::KMS::Key", details=(detail("KeyPolicy"),)), Risk.PERMISSIONS_UNKNOWN),
        (change("AWS::IAM::Role", "Add"), Risk.PERMISSIONS_UNKNOWN),  # templates not known
        (change("AWS::IAM::User", details=(detail("LoginProfile"),)), Risk.PERMISSIONS_UNKNOWN),
    ],
)
def test_what_is_asked_about(one: ResourceChange, risk: Risk):
    assert found(one) == (Outcome.ASK, {risk})


# -- permissions


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}


READ = {
    "Effect": "Allow",
    "Action": ["s3:GetObject", "s3:ListBucket"],
    "Resource": ["a", {"Fn::GetAtt": "b.Arn"}],
}
NEVER = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}


def judged(
    before: dict[str, Any],
    after: dict[str, Any],
    kind: str = "AWS::IAM::Policy",
    source: str = "DirectModification",
) -> tuple[Outcome, set[Risk]]:
    return found(
        change(kind, details=(detail("PolicyDocument", source=source),)),
        before={"Thing": {"Type": kind, "Properties": before}},
        after={"Thing": {"Type": kind, "Properties": after}},
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (policy(READ), policy(READ)),
        (policy(READ), policy({**READ, "Sid": "Renamed"})),
        (policy(READ), policy({**READ, "Action": "s3:GetObject"})),
        (policy(READ), policy({**READ, "Resource": [{"Fn::GetAtt": "b.Arn"}]})),
        (policy(READ), policy(READ, NEVER)),
        (policy(READ, NEVER), policy(NEVER)),
        ({"ManagedPolicyArns": ["a", "b"]}, {"ManagedPolicyArns": ["b"], "Description": "less"}),
        ({"Policies": [policy(READ)]}, {"Policies": [policy({**READ, "Action": "s3:ListBucket"})]}),
    ],
)
def test_less_goes(before: dict[str, Any], after: dict[str, Any]):
    assert judged(before, after) == (Outcome.GO, set())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (policy(READ), policy(READ, {**READ, "Action": "s3:PutObject"})),
        (policy(READ), policy({**READ, "Resource": "*"})),
        (policy({**READ, "Condition": {"Bool": {}}}), policy(READ)),
        (policy(READ, NEVER), policy(READ)),
        (policy(READ), policy({"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "a"})),
        ({"ManagedPolicyArns": ["a"]}, {"ManagedPolicyArns": ["a", "b"]}),
        ({**policy(READ), "Roles": ["x"]}, {**policy(READ), "Roles": ["x", "y"]}),
        ({}, {"AssumeRolePolicyDocument": {"Statement": {"Effect": "Allow", "Principal": "*"}}}),
        # a trust is no policy of its own, though it reads the same
        ({"AssumeRolePolicyDocument": {"Statement": [READ]}}, policy(READ)),
    ],
)
def test_more_is_asked_about(before: dict[str, Any], after: dict[str, Any]):
    assert judged(before, after) == (Outcome.ASK, {Risk.PERMISSIONS_WIDER})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"PermissionsBoundary": "a"}, {}),
        (policy(READ), {"PolicyDocument": {"Statement": [{"Fn::If": ["Strict", READ, NEVER]}]}}),
        (policy(READ), {"PolicyDocument": "a text"}),
    ],
)
def test_what_cannot_be_compared_is_asked_about(before: dict[str, Any], after: dict[str, Any]):
    assert judged(before, after) == (Outcome.ASK, {Risk.PERMISSIONS_UNKNOWN})


def test_the_same_statement_about_another_resource_is_not_the_same():
    assert judged(policy(READ), policy(READ), source="ParameterReference")[0] is Outcome.ASK


def test_who_may_call_a_function_is_a_grant_of_its_own():
    kind = "AWS::Lambda::Permission"
    assert judged({}, {"Principal": "*"}, kind) == (Outcome.ASK, {Risk.PERMISSIONS_WIDER})


def test_what_is_said_of_several_resources_is_said_once():
    aliases = [
        change("AWS::Lambda::Alias", "Remove").model_copy(update={"resource": name}) for name in ("B", "A")
    ]

    assert told(findings(aliases)).startswith("traffic-shifted: A, B (AWS::Lambda::Alias) would be moved")


def test_the_worst_comes_first():
    seen = findings([change("AWS::Unheard::Of", "Remove"), change(TABLE, "Remove")])

    assert [finding.outcome for finding in seen] == [Outcome.STOP, Outcome.ASK]
    assert overall(seen) is Outcome.STOP
    assert overall(()) is Outcome.GO
