"""template.yaml as plain data, and what it grants to the roles of functions and state machines."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import yaml

from cli.place import ROOT

WITH_ROLES = ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")


class Permission(NamedTuple):
    """One action that one statement allows to the role of a function or state machine."""

    owner: str
    sid: str
    action: str

    def __str__(self) -> str:
        return f"{self.owner}.{self.sid}.{self.action}"


class _Loader(yaml.SafeLoader):
    """Short intrinsic functions become their long form."""


def _intrinsic(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    name = "Ref" if tag == "Ref" else f"Fn::{tag}"
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    return {name: node.value}  # of a scalar


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Loader)  # noqa: S506
    return loaded


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Logical id to properties, of every resource of one type."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template()["Resources"].items()
        if resource["Type"] == kind
    }


def granted() -> dict[Permission, Any]:
    """Every permission, and what it is granted on, as the template says it."""
    return {
        Permission(owner, statement["Sid"], action): statement["Resource"]
        for kind in WITH_ROLES
        for owner, properties in resources(kind).items()
        for policy in properties["Policies"]
        for statement in policy.get("Statement", ())
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    }


def listed(one_or_more: Any) -> list[Any]:
    """IAM takes one thing as it is, or a list."""
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
