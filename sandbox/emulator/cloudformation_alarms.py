"""AWS::CloudWatch::Alarm takes everything PutMetricAlarm takes: metric math, percentiles' sample rule, types.

MiniStack refuses Metrics, leaves numbers as strings where a template passes a parameter, and drops what it does
not know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.cloudformation_shapes import typed
from sandbox.emulator.cloudwatch_alarm_definitions import check, completed
from sandbox.emulator.wrapping import original, replace
from selfright.domain.errors import BadInputError

Record = dict[str, Any]
MakeRecord = Callable[[str, Record], Record]


def install(_clock: SandboxClock) -> None:
    def whole(before: MakeRecord) -> MakeRecord:
        def record(name: str, properties: Record) -> Record:
            request = typed("cloudwatch", "PutMetricAlarmInput", {**properties, "AlarmName": name})
            try:
                check(request)
            except BadInputError as error:
                raise ValueError(str(error)) from None
            plain = {key: value for key, value in request.items() if key != "Metrics"}
            # MiniStack asks for a metric; completed() takes it out again where the request had none.
            made = before(name, {"MetricName": "-", "Namespace": "-", **plain})
            return completed(made, request, original(cloudwatch, "_alarms").get(name))

        return record

    replace(provisioners, "_cw_metric_alarm_record", whole)
