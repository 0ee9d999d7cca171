"""Application Auto Scaling for DynamoDB: scalable targets and target-tracking policies that really scale.

MiniStack has no such service. This file is the API; how capacity follows consumption is autoscaling_tracking.py.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import (
    AccountRegionScopedDict,
    error_response_json,
    get_account_id,
    get_region,
    json_response,
    request_scope,
)
from ministack.services import dynamodb

from sandbox.emulator.autoscaling_tracking import KIND, MINUTE, Policy, Target, hold_between_limits, track
from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.ticker import every
from sandbox.emulator.wrapping import original

SERVICE = "application-autoscaling"
TARGET_PREFIX = "AnyScaleFrontendService"

_PREDEFINED = {
    "Read": "DynamoDBReadCapacityUtilization",
    "Write": "DynamoDBWriteCapacityUtilization",
}

Request = dict[str, Any]


class AutoscalingError(Exception):
    """A request that Application Auto Scaling refuses; `code` is the AWS name of the exception."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_targets = AccountRegionScopedDict()  # (table name, dimension) -> Target


class Autoscaling:
    """The API. Requests and answers are those of botocore's application-autoscaling model."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def register(self, data: Request) -> Request:
        """RegisterScalableTarget: create or change, and bring the capacity within the limits."""
        key = table, dimension = _key(data)
        if original(dynamodb, "_tables").get(table) is None:
            raise AutoscalingError("ValidationException", f"DynamoDB table does not exist: table/{table}")
        known: Target | None = _targets.get(key)
        minimum = data.get("MinCapacity", known.minimum if known else None)
        maximum = data.get("MaxCapacity", known.maximum if known else None)
        if minimum is None or maximum is None or not 0 < minimum <= maximum:
            raise AutoscalingError(
                "ValidationException", "MinCapacity and MaxCapacity: 0 < minimum <= maximum"
            )
        if known is None:
            arn = f"arn:aws:{SERVICE}:{get_region()}:{get_account_id()}:scalable-target/{uuid.uuid4().hex}"
            role = data.get("RoleARN") or (
                f"arn:aws:iam::{get_account_id()}:role/aws-service-role/dynamodb.{SERVICE}.amazonaws.com/"
                "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
            )
            known = Target(table, dimension, minimum, maximum, arn, role, self._clock.time())
            _targets[key] = known
        known.minimum, known.maximum = minimum, maximum
        hold_between_limits(known)
        return {"ScalableTargetARN": known.arn}

    def deregister(self, data: Request) -> Request:
        _existing(data)
        _targets.pop(_key(data))
        return {}

    def describe_targets(self, data: Request) -> Request:
        names = data.get("ResourceIds") or ()
        dimension = data.get("ScalableDimension")
        found = [
            {
                "ServiceNamespace": "dynamodb",
                "ResourceId": f"table/{target.table}",
                "ScalableDimension": target.dimension,
                "MinCapacity": target.minimum,
                "MaxCapacity": target.maximum,
                "RoleARN": target.role,
                "CreationTime": target.created,
                "ScalableTargetARN": target.arn,
            }
            for target in _targets.values()
            if (not names or f"table/{target.table}" in names) and dimension in (None, target.dimension)
        ]
        return {"ScalableTargets": found}

    def put_policy(self, data: Request) -> Request:
        target = _existing(data)
        if data.get("PolicyType", "TargetTrackingScaling") != "TargetTrackingScaling":
            raise AutoscalingError("ValidationException", "DynamoDB supports target tracking policies only")
        configuration = data.get("TargetTrackingScalingPolicyConfiguration") or {}
        metric = (configuration.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
        if metric != _PREDEFINED[target.kind] or not configuration.get("TargetValue"):
            raise AutoscalingError(
                "ValidationException",
                f"TargetValue and the predefined metric {_PREDEFINED[target.kind]} are required",
            )
        name = data["PolicyName"]
        known = target.policies.get(name)
        arn = (
            known.arn
            if known
            else (
                f"arn:aws:autoscaling:{get_region()}:{get_account_id()}:scalingPolicy:{uuid.uuid4()}:"
                f"resource/dynamodb/table/{target.table}:policyName/{name}"
            )
        )
        created = known.created if known else self._clock.time()
        target.policies[name] = Policy(name, arn, created, configuration)
        return {"PolicyARN": arn, "Alarms": []}

    def delete_policy(self, data: Request) -> Request:
        target = _existing(data)
        if target.policies.pop(data["PolicyName"], None) is None:
            raise AutoscalingError(
                "ObjectNotFoundException", f"No scaling policy found: {data['PolicyName']}"
            )
        return {}

    def describe_policies(self, data: Request) -> Request:
        names, resource = data.get("PolicyNames") or (), data.get("ResourceId")
        found = [
            {
                "PolicyARN": policy.arn,
                "PolicyName": policy.name,
                "ServiceNamespace": "dynamodb",
                "ResourceId": f"table/{target.table}",
                "ScalableDimension": target.dimension,
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": policy.configuration,
                "Alarms": [],
                "CreationTime": policy.created,
            }
            for target in _targets.values()
            for policy in target.policies.values()
            if (not names or policy.name in names)
            and resource in (None, f"table/{target.table}")
            and data.get("ScalableDimension") in (None, target.dimension)
        ]
        return {"ScalingPolicies": found}

    def scale(self, boundary: int) -> None:
        """What target tracking does at every full minute."""
        for (account, region, _key), target in list(_targets.all_items()):
            with request_scope(account, region):
                hold_between_limits(target)
                for policy in target.policies.values():
                    track(target, policy.configuration, boundary)


def _key(data: Request) -> tuple[str, str]:
    resource, dimension = str(data.get("ResourceId", "")), str(data.get("ScalableDimension", ""))
    if data.get("ServiceNamespace") != "dynamodb" or dimension not in KIND:
        raise AutoscalingError(
            "ValidationException", f"the sandbox scales DynamoDB tables only: {', '.join(KIND)}"
        )
    kind, _, table = resource.partition("/")
    if kind != "table" or not table:
        raise AutoscalingError("ValidationException", f"Unsupported resource: {resource}")
    return table, dimension


def _existing(data: Request) -> Target:
    table, dimension = _key(data)
    target: Target | None = _targets.get((table, dimension))
    if target is None:
        raise AutoscalingError(
            "ObjectNotFoundException",
            f"No scalable target found for service namespace: dynamodb, resource ID: table/{table}, "
            f"scalable dimension: {dimension}",
        )
    return target


def install(clock: SandboxClock) -> None:
    service = Autoscaling(clock)
    operations: dict[str, Callable[[Request], Request]] = {
        "RegisterScalableTarget": service.register,
        "DeregisterScalableTarget": service.deregister,
        "DescribeScalableTargets": service.describe_targets,
        "PutScalingPolicy": service.put_policy,
        "DeleteScalingPolicy": service.delete_policy,
        "DescribeScalingPolicies": service.describe_policies,
    }

    async def handle_request(
        _method: str, _path: str, headers: dict[str, str], body: bytes, _query: Any
    ) -> Any:
        name = headers.get("x-amz-target", "").rpartition(".")[2]
        if name not in operations:
            return error_response_json("UnknownOperationException", f"Unknown operation: {name}", 400)
        try:
            return json_response(operations[name](json.loads(body or b"{}")))
        except AutoscalingError as error:
            return error_response_json(error.code, str(error), 400)

    original(app, "SERVICE_HANDLERS")[SERVICE] = handle_request
    original(router, "SERVICE_PATTERNS")[SERVICE] = {
        "target_prefixes": [TARGET_PREFIX],
        "host_patterns": [],
        "credential_scope": SERVICE,
    }
    original(iam_actions, "SERVICE_TO_IAM_NAMESPACE")[SERVICE] = SERVICE
    every(clock, MINUTE, service.scale, name="application-autoscaling")
