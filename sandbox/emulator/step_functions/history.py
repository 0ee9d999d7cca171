"""GetExecutionHistory: the events in AWS's shape, also while the execution runs, and none after its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions

from sandbox.emulator.step_functions import runs
from sandbox.emulator.wrapping import replace


def install() -> None:
    def live(before: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def get(data: dict[str, Any]) -> Any:
            run = runs.running(data.get("executionArn", ""))
            if run is not None:
                run.bring_history_up_to_date()
            return before(data)

        return get

    replace(stepfunctions, "_get_execution_history", live)
