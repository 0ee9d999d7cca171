"""Log lines become metrics: embedded metric format, and metric filters.

Datapoints are recorded at the sandbox time of ingestion. An EMF line's own Timestamp comes from the handler's
clock, which may be the wall's. Sources: CloudWatch User Guide, "Embedded metric format specification"; CloudWatch
Logs User Guide, "Creating metrics from log events using filters".
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cloudwatch, cloudwatch_logs

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.cloudwatch_log_patterns import Pattern, PatternError, select
from sandbox.emulator.wrapping import original, replace

Stream = dict[str, Any]
Event = dict[str, Any]
Append = Callable[[Stream, list[Event]], None]
PutFilter = Callable[[dict[str, Any]], Any]

logger = logging.getLogger(__name__)


def install(_clock: SandboxClock) -> None:
    def extracting(before: Append) -> Append:
        def append(stream: Stream, events: list[Event]) -> None:
            before(stream, events)
            try:
                messages = [event["message"] for event in events]
                for message in messages:
                    _record_embedded(message)
                for metric_filter in _filters_of(stream):
                    _record_filtered(metric_filter, messages)
            except Exception:
                logger.exception("no metrics from these log lines")

        return append

    replace(cloudwatch_logs, "_append_log_events", extracting)
    replace(cloudwatch_logs, "_put_metric_filter", _valid_patterns_only)


def _record_embedded(message: str) -> None:
    if '"_aws"' not in message or not message.lstrip().startswith("{"):
        return
    try:
        document = json.loads(message)
    except ValueError:
        return
    directives = document.get("_aws", {}).get("CloudWatchMetrics") if isinstance(document, dict) else None
    for directive in directives or ():
        for names in directive.get("Dimensions") or [[]]:
            if not all(name in document for name in names):
                continue  # "If a target member is missing, the dimension set is ignored."
            dimensions = {name: str(document[name]) for name in names}
            for metric in directive.get("Metrics") or ():
                for value in _values(document.get(metric["Name"])):
                    _record(directive["Namespace"], metric["Name"], value, metric.get("Unit"), dimensions)


def _values(target: Any) -> Iterator[float]:
    for value in target if isinstance(target, list) else [target]:
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield float(value)


def _filters_of(stream: Stream) -> list[dict[str, Any]]:
    """The metric filters of the group that holds this very stream."""
    filters = original(cloudwatch_logs, "_metric_filters").values()
    if not filters:
        return []
    groups = original(cloudwatch_logs, "_log_groups")
    return [
        each
        for each in filters
        if any(
            known is stream for known in groups.get(each["logGroupName"], {"streams": {}})["streams"].values()
        )
    ]


def _record_filtered(metric_filter: dict[str, Any], messages: list[str]) -> None:
    pattern = Pattern(metric_filter["filterPattern"])
    matches = [found for message in messages if (found := pattern.match(message)) is not None]
    for each in metric_filter["metricTransformations"]:
        namespace, name, unit = each["metricNamespace"], each["metricName"], each.get("unit")
        for found in matches:
            value = _value(each["metricValue"], found)
            if value is None:
                continue
            names = (each.get("dimensions") or {}).items()
            dimensions = {
                key: str(field) for key, selector in names if (field := select(found, selector)) is not None
            }
            _record(namespace, name, value, unit, dimensions)
        if not matches and each.get("defaultValue") is not None:
            _record(namespace, name, float(each["defaultValue"]), unit, {})


def _value(asked: str, found: Any) -> float | None:
    """A number, or the number that the matching line holds at a selector."""
    value = select(found, asked) if str(asked).startswith("$") else asked
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _record(namespace: str, name: str, value: float, unit: str | None, dimensions: dict[str, str]) -> None:
    original(cloudwatch, "record_metric")(namespace, name, value, unit or "None", dimensions)


def _valid_patterns_only(before: PutFilter) -> PutFilter:
    def put(data: dict[str, Any]) -> Any:
        try:
            Pattern(data.get("filterPattern", ""))
        except PatternError as error:
            return error_response_json(
                "InvalidParameterException", f"Invalid metric filter pattern: {error}", 400
            )
        return before(data)

    return put
