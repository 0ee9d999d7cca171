"""A language model that fails or is slow.

The local Bedrock always answers at once, so the workload's own rehearsal seam (its injected_faults.py) plays the
troubled one, below the SDK: the application sees Bedrock's error, or its delay, and nothing else.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.faults.parameters import fault_parameter, read, settings_parameter
from sandbox.server import SandboxError, Server
from sandbox.workload import stack_name

# Seconds of sandbox time that a slow answer takes longer: beyond the 30 s that users wait.
SLOW_ANSWER_SECONDS = 36.0
FAILING_SHARE = 0.5  # of the model's calls


def look(server: Server, environment: str) -> dict[str, Any]:
    function = f"{stack_name(environment)}-orchestrator"
    variables = server.client("lambda").get_function_configuration(FunctionName=function)["Environment"]
    if not variables["Variables"].get("FAULTS_PARAMETER"):
        raise SandboxError(f"{function} was deployed without FaultInjection=enabled")
    if (fault := read(server, fault_parameter(environment))) is not None:
        raise SandboxError(f"another dependency fault is on: {fault}")
    settings = json.loads(read(server, settings_parameter(environment)) or "{}")
    return {"model": settings["analysis_model"]}


def fail(server: Server, environment: str, before: dict[str, Any]) -> None:
    # ModelErrorException is not retried by the SDK: the share of failing calls is the share of failing users.
    error = {"share": FAILING_SHARE, "status": 424, "error": "ModelErrorException"}
    _inject(server, environment, {"resource": before["model"], **error})


def dawdle(server: Server, environment: str, before: dict[str, Any]) -> None:
    delay = SLOW_ANSWER_SECONDS / server.scale  # the function waits on the wall
    _inject(server, environment, {"resource": before["model"], "delay_seconds": delay})


def _inject(server: Server, environment: str, fault: dict[str, Any]) -> None:
    text = json.dumps({"service": "bedrock-runtime", **fault})
    server.client("ssm").put_parameter(Name=fault_parameter(environment), Type="String", Value=text)


def heal(server: Server, environment: str, _before: dict[str, Any]) -> None:
    ssm = server.client("ssm")
    try:
        ssm.delete_parameter(Name=fault_parameter(environment))
    except ssm.exceptions.ParameterNotFound:
        return
