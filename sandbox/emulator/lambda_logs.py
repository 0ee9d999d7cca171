"""Lambda's log lines: START, what the handler wrote, END and REPORT, one stream per execution environment."""

from __future__ import annotations

import math
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.emulator.lambda_environment import Outcome
from sandbox.emulator.wrapping import original

_creating = threading.Lock()  # the first invocations of a function come at once and share one new group


def stream_name(config: dict[str, Any], now: float) -> str:
    """A new environment's stream, e.g. 2026/11/23/[$LATEST]0f1e2d...; `now` in epoch seconds.

    In a log group that functions share, the stream also says whose it is.
    """
    day, environment = f"{datetime.fromtimestamp(now, UTC):%Y/%m/%d}", uuid.uuid4().hex
    if (config.get("LoggingConfig") or {}).get("LogGroup"):
        return f"{day}/{config['FunctionName']}[{config['Version']}][{environment}]"
    return f"{day}/[{config['Version']}]{environment}"


def lines(config: dict[str, Any], request_id: str, outcome: Outcome) -> list[str]:
    """The lines of one invocation. Durations are wall milliseconds: work is not scaled."""
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {outcome.duration_ms:.2f} ms",
        f"Billed Duration: {math.ceil(outcome.duration_ms)} ms",
        f"Memory Size: {config['MemorySize']} MB",
        f"Max Memory Used: {outcome.peak_mb} MB",
    ]
    if outcome.init_ms is not None:
        fields.append(f"Init Duration: {outcome.init_ms:.2f} ms")
    if outcome.status == "timeout":
        fields.append("Status: timeout")
    elif outcome.error and outcome.error["errorType"].startswith("Runtime."):
        fields += ["Status: error", f"Error Type: {outcome.error['errorType']}"]
    return [
        f"START RequestId: {request_id} Version: {config['Version']}",
        *outcome.log,
        f"END RequestId: {request_id}",
        "\t".join(fields) + "\t",
    ]


def write(group: str, stream: str, texts: list[str], now: float) -> None:
    """Append to CloudWatch Logs of the current account and region; `now` in epoch seconds."""
    from ministack.services import cloudwatch_logs

    groups = original(cloudwatch_logs, "_log_groups")
    with _creating:
        if group not in groups:
            original(cloudwatch_logs, "_create_log_group")({"logGroupName": group})
        if stream not in groups[group]["streams"]:
            original(cloudwatch_logs, "_create_log_stream")({"logGroupName": group, "logStreamName": stream})
    moment = int(now * 1000)
    events = [{"timestamp": moment, "message": text + "\n"} for text in texts]
    original(cloudwatch_logs, "_append_log_events")(
        groups[group]["streams"][stream], [{**event, "ingestionTime": moment} for event in events]
    )
    original(cloudwatch_logs, "_fanout_to_subscription_filters")(group, stream, events)
