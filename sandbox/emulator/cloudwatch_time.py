"""CloudWatch and CloudWatch Logs live in sandbox time.

Datapoints that carry a Timestamp are taken as they are; everything CloudWatch stamps itself (datapoints without
one, alarm states, ingestion times) follows the sandbox clock. Services of the same process that stamp log lines
with the wall clock are translated on ingestion.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.scaled_time import ScaledTime
from sandbox.emulator.wrapping import replace


def install(clock: SandboxClock) -> None:
    for service in (cloudwatch, cloudwatch_logs):
        replace(service, "time", lambda _module: ScaledTime(clock))

    def translate(event: dict[str, Any]) -> dict[str, Any]:
        ingested = event["ingestionTime"] / 1000
        wall = time.time()
        if abs(ingested - clock.at(wall)) <= abs(ingested - wall):
            return event
        return {
            **event,
            "timestamp": int(clock.at(event["timestamp"] / 1000) * 1000),
            "ingestionTime": int(clock.at(ingested) * 1000),
        }

    def in_sandbox_time(
        append: Callable[[dict[str, Any], list[dict[str, Any]]], None],
    ) -> Callable[[dict[str, Any], list[dict[str, Any]]], None]:
        return lambda stream, events: append(stream, [translate(event) for event in events])

    replace(cloudwatch_logs, "_append_log_events", in_sandbox_time)
