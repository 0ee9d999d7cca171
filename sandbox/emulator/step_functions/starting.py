"""StartExecution: names are idempotent, and version, role and definition are pinned for the execution's whole life.

Standard workflows: the same name and input while that execution runs gives the running one; the same name otherwise
is refused with ExecutionAlreadyExists. An alias chooses one of its versions by weight.
"""

from __future__ import annotations

import contextvars
import copy
import json
import random
import re
import threading
import uuid
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, now_iso
from ministack.services import stepfunctions

from sandbox.emulator.step_functions.runs import Record, pinned
from sandbox.emulator.wrapping import original, replace

Request = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

NAME = re.compile(r"[^\x00-\x20\x7f-\x9f<>{}\[\]?*\"#%\\^|~`$&,;:/]{1,80}")
LARGEST_INPUT = 262_144

_claiming = threading.Lock()  # requests and EventBridge deliveries start executions from different threads


def start(data: Request) -> Response:
    requested = data.get("stateMachineArn") or ""
    machine_arn = original(stepfunctions, "_resolve_state_machine_arn")(requested)
    if machine_arn is None:
        return _refused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{requested}'")
    name, text = data.get("name") or str(uuid.uuid4()), data.get("input") or "{}"
    if not NAME.fullmatch(name):
        return _refused("InvalidName", f"Invalid Name: '{name}'")
    if len(text.encode()) > LARGEST_INPUT:
        return _refused("InvalidExecutionInput", f"The input is longer than {LARGEST_INPUT} bytes.")
    try:
        given = json.loads(text)
    except ValueError as error:
        return _refused("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'")

    version_arn, alias_arn = _choose_version(requested)
    version = original(stepfunctions, "_state_machine_versions").get(version_arn) if version_arn else None
    machine = pinned(machine_arn, version)
    record = _new_record(machine_arn, machine, name, text)
    record |= {"stateMachineVersionArn": version_arn, "stateMachineAliasArn": alias_arn}
    executions = original(stepfunctions, "_executions")
    with _claiming:
        earlier = executions.get(record["executionArn"])
        if earlier is None:
            executions[record["executionArn"]] = record
    if earlier is not None:
        if earlier["status"] == "RUNNING" and json.loads(earlier["input"]) == given:
            return _started(earlier)
        return _refused("ExecutionAlreadyExists", f"Execution Already Exists: '{record['executionArn']}'")

    original(stepfunctions, "_emit_execution_status_event")(record)
    # The thread needs the request's account and region, which live in context variables.
    threading.Thread(
        target=contextvars.copy_context().run,
        args=(original(stepfunctions, "_run_execution"), record["executionArn"]),
        name=f"execution {name}",
        daemon=True,
    ).start()
    return _started(record)


def _choose_version(requested: str) -> tuple[str | None, str | None]:
    """(version, alias) that an execution of this ARN belongs to."""
    if requested in original(stepfunctions, "_state_machine_versions"):
        return requested, None
    alias = original(stepfunctions, "_state_machine_aliases").get(requested)
    if alias is None:
        return None, None
    routes = alias["routingConfiguration"]
    [route] = random.choices(routes, weights=[route["weight"] for route in routes])
    return route["stateMachineVersionArn"], requested


def _new_record(machine_arn: str, machine: Record, name: str, text: str) -> Record:
    where = f"arn:aws:states:{get_region()}:{get_account_id()}"
    arn = f"{where}:execution:{machine['name']}:{name}"
    if machine["type"] == "EXPRESS":  # names of express executions are not unique
        arn = f"{where}:express:{machine['name']}:{name}:{uuid.uuid4()}"
    stored = original(stepfunctions, "_state_machines")[machine_arn]
    default = original(stepfunctions, "_default_encryption")()
    return {
        "executionArn": arn,
        "stateMachineArn": machine_arn,
        "name": name,
        "status": "RUNNING",
        "startDate": now_iso(),
        "stopDate": None,
        "input": text,
        "inputDetails": {"included": True},
        "output": None,
        "outputDetails": {"included": True},
        "encryptionConfiguration": copy.deepcopy(stored.get("encryptionConfiguration") or default),
        "events": [],
        "machine": machine,
    }


def _started(record: Record) -> Response:
    answer: Response = json_response(
        {"executionArn": record["executionArn"], "startDate": record["startDate"]}
    )
    return answer


def _refused(code: str, message: str) -> Response:
    answer: Response = error_response_json(code, message, 400)
    return answer


def install() -> None:
    replace(stepfunctions, "_start_execution", lambda _before: start)
