"""CloudWatch evaluates every alarm on its schedule, by the product's own evaluator.

Once a minute, or every 10 s of sandbox time where the alarm's period is shorter than a minute, over sliding
windows of periods that have ended. MiniStack evaluates when data comes in, without dimensions, M of N, missing
data or a way back to OK.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.cloudwatch_alarm_changes import change_state
from sandbox.emulator.cloudwatch_alarm_documents import aws_time
from sandbox.emulator.cloudwatch_statistics import buckets
from sandbox.emulator.ticker import every
from sandbox.emulator.wrapping import original, replace
from selfright.domain.alarms import (
    AlarmDefinition,
    Evaluation,
    Point,
    State,
    evaluate,
    evaluation_range,
    solve,
)
from selfright.domain.errors import BadInputError

MINUTE = 60
TICK = 10  # seconds between evaluations of alarms on high-resolution metrics

logger = logging.getLogger(__name__)


class Schedule:
    """Remembers what each alarm means and when it was evaluated last."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[dict[str, Any], AlarmDefinition | None]] = {}
        self._evaluated: dict[str, int] = {}

    def evaluate_due(self, boundary: int) -> None:
        for (account, region, _name), alarm in list(original(cloudwatch, "_alarms").all_items()):
            with request_scope(account, region):
                try:
                    self._evaluate_if_due(alarm, boundary)
                except Exception:  # one alarm's trouble must not keep the others from being evaluated
                    logger.exception("alarm %s could not be evaluated", alarm["AlarmName"])

    def _evaluate_if_due(self, alarm: dict[str, Any], boundary: int) -> None:
        definition = self._definition(alarm)
        if definition is None:
            return
        step = MINUTE if definition.period >= MINUTE else TICK
        due = boundary // step * step
        if self._evaluated.get(alarm["AlarmArn"]) == due:
            return
        self._evaluated[alarm["AlarmArn"]] = due
        try:
            points = latest_points(definition, due)
        except BadInputError as error:  # such as a metric math function that is not supported
            logger.warning("alarm %s is not evaluated: %s", definition.name, error)
            return
        evaluation = evaluate(definition, points, State(alarm["StateValue"]))
        if evaluation.state != alarm["StateValue"]:
            change_state(alarm, evaluation.state, evaluation.reason, _reason_data(definition, evaluation))

    def _definition(self, alarm: dict[str, Any]) -> AlarmDefinition | None:
        """The alarm as the evaluator reads it. PutMetricAlarm stores a new record, so identity tells a change."""
        known = self._known.get(alarm["AlarmArn"])
        if known is not None and known[0] is alarm:
            return known[1]
        definition: AlarmDefinition | None = None
        try:
            definition = AlarmDefinition.parse(alarm)
        except BadInputError as error:
            logger.warning("alarm %s is not evaluated: %s", alarm["AlarmName"], error)
        self._known[alarm["AlarmArn"]] = (alarm, definition)
        self._evaluated.pop(alarm["AlarmArn"], None)
        return definition


def latest_points(definition: AlarmDefinition, end: int) -> list[Point]:
    """The watched series over the evaluation range before `end`, oldest first; no value where data is missing."""
    length, period = evaluation_range(definition.n), definition.period
    starts = [float(end - period * back) for back in range(length, 0, -1)]
    found = {
        query.id: buckets(query.metric, period, starts[0], float(end))
        for query in definition.queries
        if query.metric is not None
    }
    series = {name: {bucket.start: bucket.value for bucket in row} for name, row in found.items()}
    watched = solve(definition.queries, series, period, times=starts)[definition.watched]
    samples = {bucket.start: bucket.samples for bucket in found.get(definition.watched, [])}
    return [
        Point(datetime.fromtimestamp(start, UTC), watched.get(start), samples.get(start)) for start in starts
    ]


def install(clock: SandboxClock) -> None:
    nothing = {
        "_evaluate_alarm": lambda _before: lambda _alarm: None,
        "_evaluate_all_alarms": lambda _before: lambda: None,
    }
    for name, make in nothing.items():
        replace(cloudwatch, name, make)
    every(clock, TICK, Schedule().evaluate_due, name="cloudwatch-alarms")


def _reason_data(definition: AlarmDefinition, evaluation: Evaluation) -> str:
    """StateReasonData, as CloudWatch writes it."""
    query = next(query for query in definition.queries if query.id == definition.watched)
    points = evaluation.evaluated
    now = original(cloudwatch, "time").time()
    data: dict[str, Any] = {"version": "1.0", "queryDate": aws_time(now)}
    if points:
        data["startDate"] = aws_time(points[0].timestamp.timestamp())
    if query.metric is not None:
        data["statistic"] = query.metric.stat
        if query.metric.unit:
            data["unit"] = query.metric.unit
    data["period"] = definition.period
    data["recentDatapoints"] = [point.value for point in points]
    if definition.threshold is not None:
        data["threshold"] = definition.threshold
    data["evaluatedDatapoints"] = [
        {
            "timestamp": aws_time(point.timestamp.timestamp()),
            **({"sampleCount": point.sample_count} if point.sample_count is not None else {}),
            "value": point.value,
        }
        for point in reversed(points)
    ]
    return json.dumps(data, separators=(",", ":"))
