"""A name that moved in a pinned package stops the emulator at its start, saying which; a bug ends its execution."""

from __future__ import annotations

import os
import subprocess

import pytest

from sandbox.server import EMULATOR_PYTHON, ROOT

PREPARE = """
from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.step_functions import interpreter
"""
INSTALL = """
from sandbox.emulator import step_functions
step_functions.install(SandboxClock(origin=0.0, scale=1.0))
"""
WITH_A_BUG = """
import json, time
from ministack.services import stepfunctions as states

def broken(self):
    raise ZeroDivisionError("a bug")

interpreter.asl("eval.environment").Environment.program_state = broken
definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
machine = json.loads(states._create_state_machine({"name": "m", "definition": definition})[2])["stateMachineArn"]
execution = json.loads(states._start_execution({"stateMachineArn": machine})[2])["executionArn"]
deadline = time.monotonic() + 10
while states._executions[execution]["status"] == "RUNNING" and time.monotonic() < deadline:
    time.sleep(0.01)
found = states._executions[execution]
print(found["status"], found["error"], found["cause"], found["events"][-1]["type"])
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    """The script in the emulator's environment, where MiniStack and moto are."""
    return subprocess.run(  # noqa: S603
        [str(EMULATOR_PYTHON), "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GATEWAY_PORT": "1"},
        check=False,
    )


@pytest.mark.parametrize(
    ("removal", "complaint"),
    [
        (
            "from ministack.services import stepfunctions; del stepfunctions._stop_execution",
            "ministack.services.stepfunctions._stop_execution is gone in ministack 1.5.33",
        ),
        (
            "del interpreter.asl('component.common.retry.retrier_decl').time",
            "moto.stepfunctions.parser.asl.component.common.retry.retrier_decl.time is gone in moto 5.2.5",
        ),
    ],
)
def test_a_moved_name_is_told_at_the_start(removal: str, complaint: str):
    # Given a package without a wrapped name / When the behaviour is installed
    done = run(PREPARE + removal + INSTALL)
    # Then the error names it
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "PinnedNameMovedError" in last
    assert complaint in last


def test_a_bug_in_the_interpreter_fails_the_execution():
    # Given an interpreter that breaks in the middle / When an execution runs
    done = run(PREPARE + INSTALL + WITH_A_BUG)
    # Then it is over, and says why
    assert done.stdout.strip() == "FAILED States.Runtime ZeroDivisionError: a bug ExecutionFailed", (
        done.stderr
    )
