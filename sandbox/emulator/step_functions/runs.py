"""Run an execution: the definition that was pinned at its start, on the interpreter, to one of four ends.

Whatever goes wrong inside the interpreter fails the execution; none stays RUNNING.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from datetime import datetime
from typing import Any

from ministack.core.responses import get_account_id, get_region, now_iso
from ministack.services import stepfunctions

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.step_functions import events, logs, metrics, tokens
from sandbox.emulator.step_functions.interpreter import asl, module
from sandbox.emulator.step_functions.moments import iso
from sandbox.emulator.step_functions.programs import program
from sandbox.emulator.wrapping import original, replace

logger = logging.getLogger(__name__)

Record = dict[str, Any]  # an execution as MiniStack stores it

_running: dict[str, Run] = {}


def running(execution_arn: str) -> Run | None:
    return _running.get(execution_arn)


class Run:
    """One execution while it is carried out. `lock` guards its record against two ends at a time."""

    def __init__(self, record: Record, machine: Record, clock: SandboxClock) -> None:
        self.record = record
        self.machine = machine
        self.lock = threading.RLock()
        self.log = logs.log_of(record["executionArn"], machine["loggingConfiguration"])
        self._clock = clock
        self._began = time.monotonic()
        self._environment: Any = None

    def carry_out(self) -> None:
        """Run to the end; returns when the end is recorded."""
        try:
            compiled = program(self.machine["definition"])
            with self.lock:
                if self.record["status"] != "RUNNING":  # stopped before it began
                    return
                self._environment = self._new_environment()
            self._record_start()
            compiled.eval(self._environment)
            self._finish()
        except Exception as error:
            logger.exception("the interpreter failed on %s", self.record["executionArn"])
            self.end("FAILED", error="States.Runtime", cause=f"{type(error).__name__}: {error}")
        finally:
            self.wind_down()

    def end(
        self, status: str, *, output: str | None = None, error: str | None = None, cause: str | None = None
    ) -> bool:
        """Record the end and tell metrics and bus, unless there is an end already; whether there was none."""
        with self.lock:
            if self.record["status"] != "RUNNING":
                return False
            self._close_history(status, output=output, error=error, cause=cause)
            self.record |= {
                "status": status,
                "stopDate": now_iso(),
                "output": output,
                "error": error,
                "cause": cause,
            }
        seconds = (time.monotonic() - self._began) * self._clock.scale
        metrics.ended(self.record["stateMachineArn"], status, seconds)
        original(stepfunctions, "_emit_execution_status_event")(self.record)
        return True

    def _close_history(self, status: str, **details: str | None) -> None:
        if self.log is not None:
            self.log.closed = True
        self.bring_history_up_to_date()
        history = self.record["events"]
        if not history or history[-1]["type"] != events.ENDS[status]:
            last = events.ending(history, status, **details)
            history.append(last)
            if self.log is not None:
                self.log.publish_event(last)

    def wind_down(self) -> None:
        """Let go of everything the execution still waits for: waits, retries, branches, tokens."""
        if self._environment is not None:
            self._environment.set_stop(stop_date=None, cause=None, error=None)
            tokens.close_all(self._environment)
        # Moto keeps every thread it starts for its own clean-up, which never comes here.
        module("utils").TMP_THREADS.clear()

    def bring_history_up_to_date(self) -> None:
        with self.lock:
            if self._environment is not None and self.record["status"] == "RUNNING":
                self.record["events"] = events.recorded(self._environment)

    def _new_environment(self) -> Any:
        evaluation, record = asl("eval.environment"), self.record
        created = evaluation.Environment(
            aws_execution_details=asl("eval.evaluation_details").AWSExecutionDetails(
                account=get_account_id(), region=get_region(), role_arn=self.machine["roleArn"]
            ),
            execution_type=self.machine["type"],
            context={
                "Execution": {
                    "Id": record["executionArn"],
                    "Input": json.loads(record["input"]),
                    "Name": record["name"],
                    "RoleArn": self.machine["roleArn"],
                    "StartTime": iso(self._clock.at(datetime.fromisoformat(record["startDate"]).timestamp())),
                    "RedriveCount": 0,
                },
                "StateMachine": {"Id": record["stateMachineArn"], "Name": self.machine["name"]},
            },
            event_history_context=asl("eval.event.event_manager").EventHistoryContext.of_program_start(),
            cloud_watch_logging_session=self.log,
            activity_store={},
        )
        # Only a running program takes a stop, and from here on one may come.
        created._program_state = evaluation.ProgramRunning()
        return created

    def _record_start(self) -> None:
        self._environment.event_manager.add_event(
            context=self._environment.event_history_context,
            event_type="ExecutionStarted",
            event_details={
                "executionStartedEventDetails": {
                    "input": self.record["input"],
                    "inputDetails": {"truncated": False},
                    "roleArn": self.machine["roleArn"],
                }
            },
            update_source_event_id=False,
        )

    def _finish(self) -> None:
        """Record how the program ended."""
        states, end = asl("eval.program_state"), self._environment.program_state()
        if isinstance(end, states.ProgramEnded):
            output = self._environment.states.get_input()
            self.end("SUCCEEDED", output=json.dumps(output, separators=(",", ":"), default=str))
        elif isinstance(end, states.ProgramError):
            reason = end.error or {}
            self.end("FAILED", error=reason.get("error"), cause=reason.get("cause"))
        elif isinstance(end, states.ProgramTimedOut):
            self.end("TIMED_OUT")
        elif not isinstance(end, states.ProgramStopped):  # StopExecution has recorded its own end
            raise TypeError(f"the program ended as {type(end).__name__}")


def install(clock: SandboxClock) -> None:
    def run(execution_arn: str) -> None:
        record = original(stepfunctions, "_executions").get(execution_arn)
        if record is None:
            return
        machine = record.setdefault("machine", pinned(record["stateMachineArn"]))
        metrics.started(record["stateMachineArn"])
        carried_out = _running[execution_arn] = Run(record, machine, clock)
        try:
            carried_out.carry_out()
        finally:
            _running.pop(execution_arn, None)

    original(asl("eval.environment"), "ProgramRunning")
    original(asl("eval.environment").Environment, "set_stop")
    original(module("utils"), "TMP_THREADS")
    replace(stepfunctions, "_run_execution", lambda _before: run)


def pinned(machine_arn: str, version: Record | None = None) -> Record:
    """What an execution keeps of its machine for its whole life, from a published version or as it is now."""
    machine = original(stepfunctions, "_state_machines")[machine_arn]
    source = version or machine
    return {
        "name": machine["name"],
        "type": machine.get("type", "STANDARD"),
        "definition": source["definition"],
        "roleArn": source["roleArn"],
        "loggingConfiguration": source.get("loggingConfiguration") or {},
    }
