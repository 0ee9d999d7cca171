"""PutMetricAlarm keeps what it was given, metric math included, and refuses what CloudWatch would refuse.

MiniStack drops Metrics, invents a Statistic and a Period, and loses the state's reason on every update.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.cloudwatch_statistics import check_statistic
from sandbox.emulator.wrapping import original, replace
from selfright.domain.alarms import AlarmDefinition, solve
from selfright.domain.errors import BadInputError

_OF_ONE_METRIC = (
    "MetricName",
    "Namespace",
    "Dimensions",
    "Period",
    "Unit",
    "Statistic",
    "ExtendedStatistic",
)
_DROPPED = ("Metrics", "EvaluateLowSampleCountPercentile", "ThresholdMetricId")
_STATE = (
    "StateValue",
    "StateReason",
    "StateReasonData",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
)

PutAlarm = Callable[[dict[str, Any], dict[str, Any], bool, bool], Any]
Record = dict[str, Any]


def check(request: Record) -> None:
    """Raises BadInputError where CloudWatch would answer with a ValidationError."""
    definition = AlarmDefinition.parse(request)
    for query in definition.queries:
        if query.metric is not None:
            check_statistic(query.metric.stat)
    solve(definition.queries, {}, definition.period, times=())


def completed(record: Record, request: Record, earlier: Record | None) -> Record:
    """MiniStack's alarm record with what it left out of `request`, and without what it made up.

    `earlier`: the record this one replaces; its state stays. A new record, because its identity tells the
    schedule of evaluations that the alarm was redefined.
    """
    made_up = {name for name in _OF_ONE_METRIC if request.get(name) is None}
    kept = {name: value for name, value in record.items() if name not in made_up}
    if not request.get("Metrics"):
        kept.setdefault("Dimensions", [])  # AWS describes an alarm on one metric with an empty list
    kept |= {name: request[name] for name in _DROPPED if request.get(name) is not None}
    if earlier is not None:
        kept |= {name: earlier[name] for name in _STATE if name in earlier}
    return kept


def install(_clock: SandboxClock) -> None:
    def keeping_all(before: PutAlarm) -> PutAlarm:
        def put(params: dict[str, Any], data: dict[str, Any], is_cbor: bool, is_json: bool) -> Any:
            if not (is_cbor or is_json):
                return before(params, data, is_cbor, is_json)
            try:
                check(data)
            except BadInputError as error:
                return original(cloudwatch, "_error")(
                    "ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor
                )
            alarms = original(cloudwatch, "_alarms")
            earlier = alarms.get(data["AlarmName"])
            answer = before(params, data, is_cbor, is_json)
            record = alarms.get(data["AlarmName"])
            if record is not None and record is not earlier:
                alarms[data["AlarmName"]] = completed(record, data, earlier)
            return answer

        return put

    replace(cloudwatch, "_put_metric_alarm", keeping_all)
