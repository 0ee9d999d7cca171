"""DescribeExecution names version, alias and redrive status, and tells sandbox time; an execution's machine is
described as it was pinned.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from ministack.core.responses import json_response
from ministack.services import stepfunctions

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.step_functions.runs import Record
from sandbox.emulator.step_functions.status_events import redrive_status
from sandbox.emulator.wrapping import original, replace

Request = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[Request], Response]


def _with(more: Callable[[Record], dict[str, Any]]) -> Callable[[Handler], Handler]:
    """Answer what the original answers, with fields that depend on the execution's record."""

    def wrap(before: Handler) -> Handler:
        def describe(data: Request) -> Response:
            status, headers, body = before(data)
            record = original(stepfunctions, "_executions").get(data.get("executionArn"))
            if status >= 300 or record is None:  # noqa: PLR2004
                return status, headers, body
            answer: Response = json_response({**json.loads(body), **more(record)})
            return answer

        return describe

    return wrap


def _execution(clock: SandboxClock, record: Record) -> dict[str, Any]:
    arns = {key: record.get(key) for key in ("stateMachineVersionArn", "stateMachineAliasArn")}
    named = {key: value for key, value in arns.items() if value}
    kept = {key: record[key] for key in ("startDate", "stopDate") if record.get(key)}
    times = {key: clock.at(datetime.fromisoformat(at).timestamp()) for key, at in kept.items()}
    return {**named, **times, "redriveCount": 0, **redrive_status(record["status"])}


def _machine(record: Record) -> dict[str, Any]:
    pinned = record.get("machine", {})
    return {key: pinned[key] for key in ("definition", "roleArn", "loggingConfiguration") if key in pinned}


def install(clock: SandboxClock) -> None:
    replace(stepfunctions, "_describe_execution", _with(partial(_execution, clock)))
    replace(stepfunctions, "_describe_state_machine_for_execution", _with(_machine))
