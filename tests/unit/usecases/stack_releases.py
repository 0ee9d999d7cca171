"""Releases with a template, for tests: what they ask for, and how the stack is then."""

from __future__ import annotations

import copy
import json
from typing import Any

from selfright.domain.release import Release
from tests.unit.usecases.release_world import CART, CHECKOUT, STOCK, TEMPLATE, ReleaseWorld

ALL_NEW = {CART: "2", STOCK: "2", CHECKOUT: "2"}
FORWARD, BACK = "selfright-shop-42", "selfright-shop-42-back"
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {}}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": ["arn:power"]}}


def template(**resources: Any) -> dict[str, Any]:
    """The present one with these resources, or without those that are None."""
    made = copy.deepcopy(TEMPLATE)
    for name, resource in resources.items():
        if resource is None:
            del made["Resources"][name]
        else:
            made["Resources"][name] = resource
    return made


def artifact(world: ReleaseWorld, text: dict[str, Any], **parameters: str) -> dict[str, Any]:
    world.template_files.uploaded["42.json"] = json.dumps(text)
    return {"bucket": "shop-artifacts", "key": "42.json", "sha256": "0" * 64, "parameters": parameters}


def release(world: ReleaseWorld, text: dict[str, Any], limit: str = "6", **request: Any) -> Release:
    return world.deploy(template=artifact(world, text, Limit=limit), **request).release


def as_before(world: ReleaseWorld) -> bool:
    stack = world.cloudformation
    return json.loads(stack.body) == TEMPLATE and stack.parameters == {"Limit": "5"} and world.untouched()
