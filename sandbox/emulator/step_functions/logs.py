"""loggingConfiguration: the events of an execution as CloudWatch Logs entries, by level ALL, ERROR, FATAL or OFF."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs

from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import original

logger = logging.getLogger(__name__)


class ExecutionLog:
    """Where the interpreter sends the events of one execution that has logging switched on."""

    def __init__(self, execution_arn: str, group_arn: str, level: str, *, with_data: bool) -> None:
        self.execution_arn = execution_arn
        self.configuration = SimpleNamespace(include_execution_data=with_data)
        self.closed = False
        self._group = group_arn.split(":log-group:")[1].removesuffix(":*")
        self._account, self._region = group_arn.split(":")[4], group_arn.split(":")[3]
        self._level = level
        name = execution_arn.split(":")[6]
        digest = hashlib.sha256(execution_arn.encode()).hexdigest()[:8]
        self._stream = f"states/{name}/{time.strftime('%Y-%m-%d-%H-%M', time.gmtime())}/{digest}"

    def log_level_filter(self, history_event_type: str) -> bool:
        levels = asl("eval.event.logging")
        return bool(levels.is_logging_enabled_for(self._level, history_event_type))

    def publish_history_log(self, history_log: Mapping[str, Any]) -> None:
        """Write one entry. Never raises: logging must not change how an execution ends."""
        if not self.closed:
            self._write(history_log)

    def publish_event(self, event: Mapping[str, Any]) -> None:
        """Write an event that does not come from the interpreter: the end, from outside."""
        if not self.log_level_filter(event["type"]):
            return
        details: Any = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
        self._write(
            {
                "id": str(event["id"]),
                "previous_event_id": str(event["previousEventId"]),
                "type": event["type"],
                "execution_arn": self.execution_arn,
                "details": details,
            }
        )

    def _write(self, entry: Mapping[str, Any]) -> None:
        try:
            with request_scope(self._account, self._region):
                self._append({**entry})
        except Exception:
            logger.exception("an event of %s was not logged", self.execution_arn)

    def _append(self, entry: dict[str, Any]) -> None:
        group = original(cloudwatch_logs, "_log_groups").get(self._group)
        if group is None:  # deleted since; AWS drops the entry too
            return
        if self._stream not in group["streams"]:
            original(cloudwatch_logs, "_create_log_stream")(
                {"logGroupName": self._group, "logStreamName": self._stream}
            )
        now = int(time.time() * 1000)
        entry |= {"event_timestamp": str(now), "redrive_count": "0"}
        record = {"timestamp": now, "message": json.dumps(entry, default=str), "ingestionTime": now}
        original(cloudwatch_logs, "_append_log_events")(group["streams"][self._stream], [record])


def log_of(execution_arn: str, configuration: Mapping[str, Any]) -> ExecutionLog | None:
    """The log of an execution, None where its machine logs nothing."""
    destinations = configuration.get("destinations") or []
    level = configuration.get("level", "OFF")
    if level == "OFF" or not destinations:
        return None
    group_arn = destinations[0]["cloudWatchLogsLogGroup"]["logGroupArn"]
    return ExecutionLog(
        execution_arn, group_arn, level, with_data=bool(configuration.get("includeExecutionData"))
    )
