"""Step Functions Execution Status Change on the default bus, for every start and every kind of end.

Standard workflows only. Input and output above 248 KiB are left out, as EventBridge's size limit demands.
Source: "Automating Step Functions event delivery with EventBridge", developer guide.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ministack.services import stepfunctions

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.events_internal import put_aws_event
from sandbox.emulator.wrapping import replace

logger = logging.getLogger(__name__)

LARGEST_PAYLOAD = 248 * 1024
REDRIVABLE = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


def redrive_status(status: str) -> dict[str, Any]:
    """Whether an execution could be redriven on AWS, in the fields of DescribeExecution and of the event."""
    if status in REDRIVABLE:
        return {"redriveStatus": "REDRIVABLE"}
    return {
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": f"Execution is {status} and cannot be redriven",
    }


def detail(record: Mapping[str, Any]) -> dict[str, Any]:
    """The event's detail for an execution as it is now."""
    status = record["status"]
    return {
        "executionArn": record["executionArn"],
        "stateMachineArn": record["stateMachineArn"],
        "stateMachineVersionArn": record.get("stateMachineVersionArn"),
        "stateMachineAliasArn": record.get("stateMachineAliasArn"),
        "name": record["name"],
        "status": status,
        "startDate": _milliseconds(record["startDate"]),
        "stopDate": _milliseconds(record["stopDate"]),
        **_payload("input", record["input"]),
        **_payload("output", record["output"] if status == "SUCCEEDED" else None),
        "error": record.get("error"),
        "cause": record.get("cause"),
        "redriveCount": 0,
        "redriveDate": None,
        "redriveStatusReason": None,
        **redrive_status(status),
    }


def _payload(name: str, text: str | None) -> dict[str, Any]:
    if text is None:
        return {name: None, f"{name}Details": None}
    fits = len(text.encode()) <= LARGEST_PAYLOAD
    return {name: text if fits else None, f"{name}Details": {"included": fits}}


def _milliseconds(iso: str | None) -> int | None:
    return round(datetime.fromisoformat(iso).timestamp() * 1000) if iso else None


def install(clock: SandboxClock) -> None:
    def emit(record: Mapping[str, Any]) -> None:
        if record.get("sync") or record.get("machine", {}).get("type") == "EXPRESS":
            return
        try:
            put_aws_event(
                source="aws.states",
                detail_type="Step Functions Execution Status Change",
                detail=detail(record),
                resources=[record["executionArn"]],
                at=clock.time(),
            )
        except Exception:  # delivery is best effort on AWS too
            logger.exception("status event of %s was not delivered", record["executionArn"])

    def ours(_before: Callable[..., None]) -> Callable[[Mapping[str, Any]], None]:
        return emit

    replace(stepfunctions, "_emit_execution_status_event", ours)
