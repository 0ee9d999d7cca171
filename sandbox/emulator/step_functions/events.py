"""The events of an execution's history, as GetExecutionHistory gives them."""

from __future__ import annotations

import json
from typing import Any

from ministack.core.responses import now_iso

Event = dict[str, Any]

ENDS = {
    "SUCCEEDED": "ExecutionSucceeded",
    "FAILED": "ExecutionFailed",
    "TIMED_OUT": "ExecutionTimedOut",
    "ABORTED": "ExecutionAborted",
}


def recorded(environment: Any) -> list[Event]:
    """The events so far, up to the one that ends the execution: work that finishes later leaves no trace."""
    events: list[Event] = json.loads(json.dumps(environment.event_manager.get_event_history(), default=str))
    for position, event in enumerate(events):
        if event["type"] in ENDS.values():
            return events[: position + 1]
    return events


def ending(events: list[Event], status: str, **details: str | None) -> Event:
    """The event that ends an execution after `events`."""
    kind = ENDS[status]
    field = f"{kind[0].lower()}{kind[1:]}EventDetails"
    return {
        "id": len(events) + 1,
        # Ends that come from outside (stop, timeout) follow no event; a failure follows the last one.
        "previousEventId": events[-1]["id"] if status == "FAILED" and events else 0,
        "type": kind,
        "timestamp": now_iso(),
        field: {key: value for key, value in details.items() if value is not None},
    }
