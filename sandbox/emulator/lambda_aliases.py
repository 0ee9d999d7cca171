"""Lambda alias routing: weights decide the version of each invocation, on every path; bad weights are refused.

An invocation of an alias keeps the alias in its function ARN; the version is drawn once, where all paths (Invoke
API, Step Functions, EventBridge, event source mappings, destinations) come together. The Invoke API tells it in
ExecutedVersion. A version also draws on the reserved concurrency of its function.
"""

from __future__ import annotations

import contextvars
import random
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import original, replace

LATEST = "$LATEST"
EXECUTED_VERSION = "X-Amz-Executed-Version"

Response = tuple[int, dict[str, str], bytes]
Record = dict[str, Any]

# Where the Invoke API learns which version ran: one-element list, filled by the thread that executes.
_executed: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar(
    "lambda_executed_version", default=None
)


def install(_clock: SandboxClock) -> None:
    from ministack.services import lambda_svc

    replace(lambda_svc, "_effective_func_record_for_qualifier", _name_the_alias)
    replace(lambda_svc, "_execute_function", _draw_version)
    replace(lambda_svc, "_invoke", _tell_executed_version)
    replace(lambda_svc, "_create_alias", _validated_create)
    replace(lambda_svc, "_update_alias", _validated_update)


def qualifier_of(function_arn: str) -> str | None:
    """The version or alias that an invocation named; None for the bare function."""
    return dict(enumerate(function_arn.split(":"))).get(7)


def base_record(config: dict[str, Any]) -> Record | None:
    """The function, with all its versions and aliases, that a version's configuration belongs to."""
    from ministack.services import lambda_svc

    functions = original(lambda_svc, "_functions")
    record: Record | None = functions.get(config["FunctionName"])
    return record


def draw(alias: dict[str, Any], dice: float) -> str:
    """The version for `dice` in [0, 1): each additional version gets its weight, the main one the rest."""
    weights: dict[str, float] = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for version, weight in weights.items():
        if dice < weight:
            return version
        dice -= weight
    main: str = alias["FunctionVersion"]
    return main


def refusal(record: Record, version: str, weights: dict[str, float]) -> tuple[str, str] | None:
    """Why AWS would refuse an alias on `version` with `weights`: error code and message."""
    for name in (version, *weights):
        if name != LATEST and name not in record["versions"]:
            arn = record["config"]["FunctionArn"]
            return "ResourceNotFoundException", f"Function not found: {arn}:{name}"
    if any(not 0 <= weight <= 1 for weight in weights.values()):
        rule = "Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0"
        return "ValidationException", (
            f"1 validation error detected: Value '{weights}' at 'routingConfig.additionalVersionWeights' "
            f"failed to satisfy constraint: Map value must satisfy constraint: [{rule}]"
        )
    invalid = "InvalidParameterValueException"
    if len(weights) > 1:
        return invalid, "Number of items in AdditionalVersionWeights cannot be greater than 1"
    if sum(weights.values()) >= 1:
        return invalid, "The weights of the additional versions must leave a share for the main version"
    if weights and LATEST in (version, *weights):
        return invalid, "$LATEST is not supported for an alias pointing to more than 1 version"
    if version in weights:
        return invalid, f"Invalid function version {version}. Function version is already included in routing"
    return None


def _name_the_alias(before: Callable[..., tuple[Record | None, Record | None]]) -> Callable[..., Any]:
    def effective(record: Record | None, qualifier: str | None) -> tuple[Record | None, Record | None]:
        version, config = before(record, qualifier)
        if record is None or version is None or config is None or qualifier in (None, LATEST):
            return version, config
        arn = ":".join(config["FunctionArn"].split(":")[:7])
        config = {**config, "FunctionArn": f"{arn}:{qualifier}"}
        return {**version, "config": config, "concurrency": record.get("concurrency")}, config

    return effective


def _draw_version(before: Callable[[Record, Any], Record]) -> Callable[[Record, Any], Record]:
    from ministack.services import lambda_svc

    def execute(function: Record, event: Any) -> Record:
        config = function.get("config") or function
        if original(lambda_svc, "_function_config_scope_mismatch")(config):
            return before(function, event)  # which comes back here in the function's own scope
        base = base_record(config)
        alias = (base or {}).get("aliases", {}).get(qualifier_of(config["FunctionArn"]))
        if base:
            function = {**function, "concurrency": base.get("concurrency")}
        if base and alias:
            version = draw(alias, random.random())
            record = base if version == LATEST else base["versions"][version]
            config = {**record["config"], "FunctionArn": config["FunctionArn"]}
            function = {**function, "code_zip": record.get("code_zip"), "config": config}
        if (told := _executed.get()) is not None:
            told[:] = [config["Version"]]
        return before(function, event)

    return execute


def _tell_executed_version(before: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    async def invoke(*args: Any, **kwargs: Any) -> Response:
        told: list[str] = []
        token = _executed.set(told)
        try:
            status, headers, body = await before(*args, **kwargs)
        finally:
            _executed.reset(token)
        if told and EXECUTED_VERSION in headers:
            headers = {**headers, EXECUTED_VERSION: told[0]}
        return status, headers, body

    return invoke


def _validated_create(before: Callable[..., Response]) -> Callable[..., Response]:
    def create(function_name: str, data: dict[str, Any]) -> Response:
        return _refused(function_name, data.get("FunctionVersion", LATEST), data) or before(
            function_name, data
        )

    return create


def _validated_update(before: Callable[..., Response]) -> Callable[..., Response]:
    from ministack.services import lambda_svc

    def update(function_name: str, alias_name: str, data: dict[str, Any]) -> Response:
        record = original(lambda_svc, "_functions").get(function_name)
        alias = (record or {}).get("aliases", {}).get(alias_name) or {}
        changed = {**alias, **data}
        version = changed.get("FunctionVersion", LATEST)
        return _refused(function_name, version, changed) or before(function_name, alias_name, data)

    return update


def _refused(function_name: str, version: str, data: dict[str, Any]) -> Response | None:
    from ministack.core import responses
    from ministack.services import lambda_svc

    record = original(lambda_svc, "_functions").get(function_name)
    if record is None:
        return None  # the wrapped function says so
    weights = (data.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    why = refusal(record, version, weights)
    if why is None:
        return None
    status = 404 if why[0] == "ResourceNotFoundException" else 400
    response: Response = responses.error_response_json(*why, status)
    return response
