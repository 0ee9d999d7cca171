"""CloudFormation resource types that MiniStack lacks.

Composite alarms, alarm mute rules, versions and aliases of state machines, scalable targets, scaling policies and
inline queue policies: each goes through the API that the real provider calls, so what the API refuses fails the
resource.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, stepfunctions
from ministack.services.cloudformation import provisioners

from sandbox.emulator import autoscaling_targets, cloudwatch_mute_rules
from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.cloudformation_shapes import typed
from sandbox.emulator.wrapping import original

Properties = dict[str, Any]
Attributes = dict[str, Any]
Made = tuple[str, Attributes]

FAILED = 400


@dataclass(frozen=True)
class Type:
    """A resource type: `put` creates or updates in place under a name, `delete` takes the physical id.

    `name` is the property that names the resource; changing it replaces the resource.
    """

    name: str | None
    put: Callable[[str, Properties], Made]
    delete: Callable[[str, Properties], Any]


def install(clock: SandboxClock) -> None:
    handlers = original(provisioners, "_RESOURCE_HANDLERS")
    for resource_type, kind in {
        "AWS::CloudWatch::CompositeAlarm": Type("AlarmName", _put_composite, _delete_composite),
        **_mute_rules(clock),
        **_autoscaling(clock),
    }.items():
        handlers[resource_type] = _handler(kind)
    handlers["AWS::StepFunctions::StateMachineVersion"] = {
        "create": lambda _logical, properties, _stack: _publish(properties),
        "update": lambda _physical, _old, new, _stack: _publish(new),  # every property replaces the version
        "delete": _delete_version,
    }
    handlers["AWS::StepFunctions::StateMachineAlias"] = {
        "create": _create_alias,
        "update": _update_alias,
        "delete": _delete_alias,
    }
    handlers["AWS::SQS::QueueInlinePolicy"] = _for_one_queue(handlers["AWS::SQS::QueuePolicy"])


def _for_one_queue(policy: dict[str, Any]) -> dict[str, Any]:
    """QueueInlinePolicy is QueuePolicy with one Queue instead of Queues."""

    def several(properties: Properties) -> Properties:
        return {"PolicyDocument": properties["PolicyDocument"], "Queues": [properties["Queue"]]}

    return {
        "create": lambda logical, properties, stack: policy["create"](logical, several(properties), stack),
        "update": lambda physical, old, new, stack: policy["update"](
            physical, several(old), several(new), stack
        ),
        "delete": lambda physical, properties: policy["delete"](physical, several(properties)),
    }


def _handler(kind: Type) -> dict[str, Any]:
    def name_of(properties: Properties, stack: str, logical_id: str) -> str:
        given = properties.get(kind.name) if kind.name else None
        return str(given or original(provisioners, "_physical_name")(stack, logical_id, max_len=255))

    def create(logical_id: str, properties: Properties, stack: str) -> Made:
        return kind.put(name_of(properties, stack, logical_id), properties)

    def update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Made:
        name = name_of(new, stack, logical_id)
        made = kind.put(name, new)
        if made[0] != physical_id:
            kind.delete(physical_id, old)
        return made

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": kind.delete}


def _succeed(answer: tuple[int, Mapping[str, str], bytes]) -> Any:
    """The JSON of an answer. Raises ValueError with its message where the API refused."""
    body = json.loads(answer[2] or b"{}")
    if answer[0] >= FAILED:
        raise ValueError(body.get("message") or body.get("Message") or str(body))
    return body


def _put_composite(name: str, properties: Properties) -> Made:
    request = typed("cloudwatch", "PutCompositeAlarmInput", {**properties, "AlarmName": name})
    _succeed(original(cloudwatch, "_put_composite_alarm")({}, request, False, True))
    return name, {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"}


def _delete_composite(name: str, _properties: Properties) -> None:
    _succeed(original(cloudwatch, "_delete_alarms")({}, {"AlarmNames": [name]}, False, True))


def _mute_rules(clock: SandboxClock) -> dict[str, Type]:
    rules = cloudwatch_mute_rules.MuteRules(clock)

    def put(name: str, properties: Properties) -> Made:
        rules.put(typed("cloudwatch", "PutAlarmMuteRuleInput", {**properties, "Name": name}))
        return name, {"Arn": rules.get({"AlarmMuteRuleName": name})["AlarmMuteRuleArn"]}

    return {
        "AWS::CloudWatch::AlarmMuteRule": Type(
            "Name", put, lambda name, _properties: rules.delete({"AlarmMuteRuleName": name})
        )
    }


def _autoscaling(clock: SandboxClock) -> dict[str, Type]:
    service = autoscaling_targets.Autoscaling(clock)
    service_name = "application-autoscaling"

    def put_target(_name: str, properties: Properties) -> Made:
        request = typed(
            service_name, "RegisterScalableTargetRequest", properties, also=frozenset({"ScheduledActions"})
        )
        service.register(request)
        physical = "|".join(request[key] for key in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
        return physical, {"Id": physical}

    def put_policy(_name: str, properties: Properties) -> Made:
        asked = dict(properties)
        if target := asked.pop("ScalingTargetId", None):
            asked |= dict(
                zip(("ResourceId", "ScalableDimension", "ServiceNamespace"), target.split("|"), strict=True)
            )
        arn = service.put_policy(typed(service_name, "PutScalingPolicyRequest", asked))["PolicyARN"]
        return arn, {"Arn": arn}

    def delete_target(physical_id: str, _properties: Properties) -> None:
        service.deregister(_parts(physical_id))

    def delete_policy(arn: str, _properties: Properties) -> None:
        for policy in service.describe_policies({})["ScalingPolicies"]:
            if policy["PolicyARN"] == arn:
                service.delete_policy(policy)

    return {
        "AWS::ApplicationAutoScaling::ScalableTarget": Type(None, put_target, delete_target),
        "AWS::ApplicationAutoScaling::ScalingPolicy": Type(None, put_policy, delete_policy),
    }


def _parts(physical_id: str) -> Properties:
    resource, dimension, namespace = physical_id.split("|")
    return {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}


def _publish(properties: Properties) -> Made:
    request = {
        "stateMachineArn": properties["StateMachineArn"],
        "description": properties.get("Description", ""),
    }
    if properties.get("StateMachineRevisionId"):
        request["revisionId"] = properties["StateMachineRevisionId"]
    arn = _succeed(original(stepfunctions, "_publish_state_machine_version")(request))[
        "stateMachineVersionArn"
    ]
    return arn, {"Arn": arn}


def _delete_version(arn: str, _properties: Properties) -> None:
    _succeed(original(stepfunctions, "_delete_state_machine_version")({"stateMachineVersionArn": arn}))


def _create_alias(logical_id: str, properties: Properties, stack: str) -> Made:
    name = properties.get("Name") or original(provisioners, "_physical_name")(stack, logical_id, max_len=80)
    request = {
        "name": name,
        "description": properties.get("Description", ""),
        "routingConfiguration": _routing(properties),
    }
    arn = _succeed(original(stepfunctions, "_create_state_machine_alias")(request))["stateMachineAliasArn"]
    return arn, {"Arn": arn}


def _update_alias(arn: str, _old: Properties, new: Properties, _stack: str) -> Made:
    request = {"stateMachineAliasArn": arn, "routingConfiguration": _routing(new)}
    if "Description" in new:
        request["description"] = new["Description"]
    _succeed(original(stepfunctions, "_update_state_machine_alias")(request))
    return arn, {"Arn": arn}


def _delete_alias(arn: str, _properties: Properties) -> None:
    _succeed(original(stepfunctions, "_delete_state_machine_alias")({"stateMachineAliasArn": arn}))


def _routing(properties: Properties) -> list[dict[str, Any]]:
    """Where the alias points. A DeploymentPreference shifts at once here: CloudFormation shifts it by itself."""
    if preference := properties.get("DeploymentPreference"):
        return [{"stateMachineVersionArn": preference["StateMachineVersionArn"], "weight": 100}]
    return [
        {"stateMachineVersionArn": route["StateMachineVersionArn"], "weight": int(route["Weight"])}
        for route in properties["RoutingConfiguration"]
    ]
