"""Service integrations: AWS's casing of parameters and results, JSON-safe results, AWS's error names.

Parameters come in PascalCase and go out in the casing of the service; results come back in PascalCase. Times in
results are ISO 8601 text for `aws-sdk:` integrations and epoch milliseconds for optimised ones. The error of an
`aws-sdk:` call is named after the service's Java client (`DynamoDb.ConditionalCheckFailedException`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel

from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import original, replace

# aws-sdk: names (those of the Java SDK, lower case) that botocore spells differently.
BOTOCORE_NAMES = {
    "applicationautoscaling": "application-autoscaling",
    "bedrockruntime": "bedrock-runtime",
    "cloudwatchlogs": "logs",
    "configservice": "config",
    "costexplorer": "ce",
    "elasticloadbalancingv2": "elbv2",
    "eventbridge": "events",
    "servicequotas": "service-quotas",
    "sfn": "stepfunctions",
}

base = asl("component.state.exec.state_task.service.state_task_service").StateTaskService
sdk = asl("component.state.exec.state_task.service.state_task_service_aws_sdk").StateTaskServiceAwsSdk

_botocore = botocore.session.get_session()
_loading = threading.Lock()


@lru_cache(maxsize=64)
def _service(name: str) -> ServiceModel:
    with _loading:
        return _botocore.get_service_model(name)


@lru_cache(maxsize=512)
def _operation(service: str, action: str) -> OperationModel | None:
    model, wanted = _service(service), action.replace("_", "").lower()
    found = next((name for name in model.operation_names if name.lower() == wanted), None)
    return model.operation_model(found) if found else None


def _jsonable(value: Any, as_time: Callable[[datetime], Any]) -> Any:
    """`value` with times, bytes and streams as JSON; dictionaries and lists are changed in place."""
    if isinstance(value, datetime):
        return as_time(value.astimezone(UTC))
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = _jsonable(item, as_time)
    elif isinstance(value, list):
        value[:] = [_jsonable(item, as_time) for item in value]
    elif hasattr(value, "read"):
        return value.read().decode("utf-8", "replace")
    elif isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    return value


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _epoch_milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _operation_of(task: Any, service: str | None, action: str | None) -> OperationModel | None:
    return _operation(task._get_boto_service_name(service), task._get_boto_service_action(action))


def _cased_parameters(_before: Callable[..., None]) -> Callable[..., None]:
    def normalise(
        self: Any,
        parameters: dict[str, Any],
        boto_service_name: str | None = None,
        service_action_name: str | None = None,
    ) -> None:
        model = _operation_of(self, boto_service_name, service_action_name)
        if model is not None and model.input_shape is not None:
            self._to_boto_request(parameters, model.input_shape)

    return normalise


def _cased_response(_before: Callable[..., None]) -> Callable[..., None]:
    def normalise(
        self: Any,
        response: Any,
        boto_service_name: str | None = None,
        service_action_name: str | None = None,
    ) -> None:
        model = _operation_of(self, boto_service_name, service_action_name)
        if model is not None and model.output_shape is not None:
            self._from_boto_response(response, model.output_shape)
        _jsonable(response, _iso if isinstance(self, sdk) else _epoch_milliseconds)

    return normalise


def _botocore_name(before: Callable[..., str]) -> Callable[..., str]:
    def name(self: Any, boto_service_name: str | None = None) -> str:
        wanted = before(self, boto_service_name)
        return BOTOCORE_NAMES.get(wanted, wanted) if isinstance(self, sdk) else wanted

    return name


def _java_name(_before: Callable[[str], str]) -> staticmethod[[str], str]:
    """`aws-sdk:dynamodb:...` fails as DynamoDb: the service id, each word in the Java SDK's capitals."""

    def name(service_name: str) -> str:
        model = _service(BOTOCORE_NAMES.get(service_name.lower(), service_name.lower()))
        return "".join(base._to_sfn_cased(word) for word in model.service_id.split())

    return staticmethod(name)


def install() -> None:
    for used in ("_to_boto_request", "_from_boto_response", "_get_boto_service_action", "_to_sfn_cased"):
        original(base, used)
    replace(base, "_normalise_parameters", _cased_parameters)
    replace(base, "_normalise_response", _cased_response)
    replace(base, "_get_boto_service_name", _botocore_name)
    replace(sdk, "_normalise_service_error_name", _java_name)
