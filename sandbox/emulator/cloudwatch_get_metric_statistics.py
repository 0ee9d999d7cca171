"""GetMetricStatistics answers for exactly the dimensions asked: none means the metric without dimensions.

MiniStack adds up all dimensions then, which counts an invocation once per dimension set it is reported under.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.cloudwatch_get_metric_data import aligned
from sandbox.emulator.cloudwatch_statistics import buckets
from sandbox.emulator.cloudwatch_store import window
from sandbox.emulator.wrapping import original, replace
from selfright.domain.alarms import Metric
from selfright.domain.errors import BadInputError

GetMetricStatistics = Callable[[dict[str, Any], dict[str, Any], bool, bool], Any]


def install(_clock: SandboxClock) -> None:
    def exact(before: GetMetricStatistics) -> GetMetricStatistics:
        def get(params: dict[str, Any], data: dict[str, Any], is_cbor: bool, is_json: bool) -> Any:
            if not (is_cbor or is_json):
                return before(params, data, is_cbor, is_json)
            try:
                points = datapoints(data)
            except BadInputError as error:
                return original(cloudwatch, "_error")(
                    "InvalidParameterValue", str(error), 400, use_json=is_json, use_cbor=is_cbor
                )
            answer = {"Label": data["MetricName"], "Datapoints": points}
            if is_json:
                return original(cloudwatch, "_json_ok")(answer)
            answer["Datapoints"] = [original(cloudwatch, "_cbor_datapoint")(point) for point in points]
            return original(cloudwatch, "_cbor_ok")(answer)

        return get

    replace(cloudwatch, "_get_metric_statistics", exact)


def datapoints(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The Datapoints of GetMetricStatistics, timestamps in epoch seconds, oldest first."""
    period = int(data["Period"])
    start, end = (original(cloudwatch, "_parse_ts")(data[name]) for name in ("StartTime", "EndTime"))
    first = aligned(start, period)
    dimensions = {each["Name"]: each["Value"] for each in data.get("Dimensions") or ()}
    basic, extended = data.get("Statistics") or [], data.get("ExtendedStatistics") or []
    if bool(basic) == bool(extended):
        raise BadInputError("Statistics", "exactly one of Statistics and ExtendedStatistics")
    units = {
        first + (point["Timestamp"] - first) // period * period: point["Unit"]
        for point in window(data["Namespace"], data["MetricName"], dimensions, first, end)
    }
    found: dict[float, dict[str, Any]] = {}
    for stat in (*basic, *extended):
        metric = Metric(
            namespace=data["Namespace"],
            name=data["MetricName"],
            dimensions=dimensions,
            stat=stat,
            unit=data.get("Unit"),
        )
        for bucket in buckets(metric, period, first, end):
            shown = found.setdefault(bucket.start, {"Timestamp": bucket.start, "Unit": units[bucket.start]})
            if stat in extended:
                shown.setdefault("ExtendedStatistics", {})[stat] = bucket.value
            else:
                shown[stat] = bucket.value
    return [found[at] for at in sorted(found)]
