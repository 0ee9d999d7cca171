"""Whether a changed policy allows more than before: statement by statement, as two templates write them.

Only a change that is seen to allow no more passes; what is written otherwise than here foreseen is not known.
Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

# Besides AWS::IAM::*: resources whose whole purpose is a policy.
POLICY_KINDS = {
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::LayerVersionPermission",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueueInlinePolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SecretsManager::ResourcePolicy",
}

_DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "ResourcePolicy")
# Lists of which more is more: attached policies, and to what a policy is attached.
_LISTS = ("ManagedPolicyArns", "Roles", "Groups", "Users", "Queues", "Topics")
_HARMLESS = {"Description", "PolicyName", "ManagedPolicyName", "RoleName", "Path", "Tags"}
_ONE_BY_ONE = ("Action", "Resource")


class Reach(StrEnum):
    WIDER = "wider"
    NOT_WIDER = "not-wider"
    UNKNOWN = "unknown"


def reach(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Reach:
    """What the properties `after` allow, against those `before`; empty ones are of a resource that is not there."""
    if kind in {"AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission"}:  # each is one grant
        return Reach.WIDER if after else Reach.NOT_WIDER
    known = {*_DOCUMENTS, *_LISTS, *_HARMLESS, "Policies"}
    if any(before.get(name) != after.get(name) for name in {*before, *after} - known):
        return Reach.UNKNOWN  # PermissionsBoundary is one of them
    try:
        old, new = list(_statements(before)), list(_statements(after))
        lists = [(_items(before.get(name)), _items(after.get(name))) for name in _LISTS]
    except (TypeError, AttributeError):  # not written as the grammar has it: a function of CloudFormation's
        return Reach.UNKNOWN
    if any(not of_after <= of_before for of_before, of_after in lists):
        return Reach.WIDER
    allowed = [s for s in old if s.get("Effect") == "Allow"]
    if any(s.get("Effect") not in {"Allow", "Deny"} for s in (*old, *new)):
        return Reach.UNKNOWN
    if any(s not in new for s in old if s["Effect"] == "Deny"):
        return Reach.WIDER
    if all(any(_covers(a, s) for a in allowed) for s in new if s["Effect"] == "Allow"):
        return Reach.NOT_WIDER
    return Reach.WIDER


def _statements(properties: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every statement, without its Sid; of which document it is, stands in it."""
    for name in _DOCUMENTS:
        if name in properties:
            yield from _of_document(name, properties[name])
    for policy in properties.get("Policies", ()):
        yield from _of_document("PolicyDocument", policy["PolicyDocument"])


def _of_document(name: str, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    found = document.get("Statement", [])
    for statement in [found] if isinstance(found, Mapping) else found:
        yield {**{k: v for k, v in statement.items() if k != "Sid"}, "document": name}


def _covers(allowed: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether one Allow statement holds all of another: fewer actions or resources, all else the same."""
    rest = {*allowed, *asked} - {*_ONE_BY_ONE}
    return all(allowed.get(name) == asked.get(name) for name in rest) and all(
        _items(asked.get(name)) <= _items(allowed.get(name)) and (name in asked) == (name in allowed)
        for name in _ONE_BY_ONE
    )


def _items(value: Any) -> set[str]:
    """The entries of a list, or the one value, each in one way of writing."""
    if value is None:
        return set()
    entries = value if isinstance(value, list) else [value]
    return {json.dumps(entry, sort_keys=True) for entry in entries}
