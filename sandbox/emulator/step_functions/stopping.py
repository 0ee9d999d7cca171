"""StopExecution: the execution is ABORTED at once, and the work inside it (branches, iterations, waits) stops too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import stepfunctions

from sandbox.emulator.step_functions import runs
from sandbox.emulator.wrapping import replace

Request = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]


def install() -> None:
    def stopping(before: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def stop(data: Request) -> Response:
            run = runs.running(data.get("executionArn") or "")
            if run is None or not run.end("ABORTED", error=data.get("error"), cause=data.get("cause")):
                return before(data)
            run.wind_down()
            answer: Response = json_response({"stopDate": run.record["stopDate"]})
            return answer

        return stop

    replace(stepfunctions, "_stop_execution", stopping)
