"""AWS/States metrics: executions started and ended by StateMachineArn, and how long they took."""

from __future__ import annotations

from ministack.services import cloudwatch

from sandbox.emulator.wrapping import original

NAMESPACE = "AWS/States"
ENDS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def started(machine_arn: str) -> None:
    _record("ExecutionsStarted", 1, "Count", machine_arn)


def ended(machine_arn: str, status: str, seconds: float) -> None:
    """`seconds` from start to end, in sandbox time: an execution is mostly waiting, and waits are scaled."""
    _record(ENDS[status], 1, "Count", machine_arn)
    _record("ExecutionTime", seconds * 1000, "Milliseconds", machine_arn)


def _record(name: str, value: float, unit: str, machine_arn: str) -> None:
    original(cloudwatch, "record_metric")(NAMESPACE, name, value, unit, {"StateMachineArn": machine_arn})


def install() -> None:
    original(cloudwatch, "record_metric")
