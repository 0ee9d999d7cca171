"""The permissions of deployed roles: which journey needs one, and how it is without it."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from cli.template import Permission, listed
from tests.sandbox.journeys.world import Call, World

WITNESSES = Path(__file__).with_name("permissions.yaml")


def witnesses() -> dict[Permission, str | dict[str, str]]:
    """By permission: the journey that fails without it, or why none can ({"not shown": reason})."""
    told = yaml.safe_load(WITNESSES.read_text())["needed-by"]
    return {
        Permission(owner, sid, action): witness
        for owner, statements in told.items()
        for sid, actions in statements.items()
        for action, witness in actions.items()
    }


Policies = dict[str, dict[str, Any]]


def inline_policies(world: World, owner: str) -> Policies:
    """The deployed role's own policies, by name."""
    iam, role = world.client("iam"), role_name(world, owner)
    return {
        name: _document(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }


def managed_policies(world: World, owner: str) -> list[dict[str, Any]]:
    """What SAM attaches to the deployed role: logs and the queue. This AWS has none for traces and audits."""
    iam, role = world.client("iam"), role_name(world, owner)
    found = []
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        if arn.endswith(("/AWSXrayWriteOnlyAccess", "/SecurityAudit")):
            continue
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        found.append(_document(document))
    return found


def role_name(world: World, owner: str) -> str:
    """SAM names a role after what it is for."""
    return world.physical_name(f"{owner}Role")


def deprived(policies: Policies, permission: Permission) -> Policies:
    """`policies` without that permission, which they must hold."""
    left: Policies = {}
    taken = 0
    for name, document in policies.items():
        statements = []
        for statement in document["Statement"]:
            actions = listed(statement["Action"])
            kept = [a for a in actions if (statement.get("Sid"), a) != permission[1:]]
            taken += len(actions) - len(kept)
            if kept:
                statements.append({**statement, "Action": kept})
        left[name] = {**document, "Statement": statements}
    assert taken == 1, f"{permission} is {taken} times in the deployed role"
    return left


def allowed(world: World, policies: list[dict[str, Any]], call: Call) -> bool:
    """What IAM decides on a call under these policies; it must not depend on a condition, which is not asked.

    ForAllValues holds where the request has no such key.
    """
    asked = {
        operator
        for policy in policies
        for statement in policy["Statement"]
        if call.action in listed(statement.get("Action", []))
        for operator in statement.get("Condition", {})
    }
    assert asked <= {"ForAllValues:StringEquals"}
    (answer,) = world.client("iam").simulate_custom_policy(
        PolicyInputList=[json.dumps(policy) for policy in policies if policy["Statement"]],
        ActionNames=[call.action],
        ResourceArns=[call.resource],
    )["EvaluationResults"]
    return bool(answer["EvalDecision"] == "allowed")


@contextmanager
def without(world: World, permission: Permission) -> Iterator[None]:
    """The deployed role lacks the permission while the block runs."""
    iam, role = world.client("iam"), role_name(world, permission.owner)
    before = inline_policies(world, permission.owner)

    def put(policies: Policies) -> None:
        for name, document in policies.items():
            if document["Statement"]:
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
            else:
                iam.delete_role_policy(RoleName=role, PolicyName=name)

    put(deprived(before, permission))
    try:
        yield
    finally:
        put(before)


def _document(policy: Any) -> dict[str, Any]:
    """boto3 decodes IAM's URL encoded JSON, where the answer names it so."""
    document: dict[str, Any] = json.loads(urllib.parse.unquote(policy)) if isinstance(policy, str) else policy
    return document
