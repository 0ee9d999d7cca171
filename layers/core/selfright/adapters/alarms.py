"""CloudWatch alarms: how they stand, whether they are muted, and the numbers they watch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.adapters.metric_data import read_metric_data
from selfright.domain.alarms import AlarmDefinition, State
from selfright.domain.errors import BadInputError, NotFoundError
from selfright.domain.gates import COMPOSITE, MANY_SERIES, AlarmNow
from selfright.domain.judgement import Watched
from selfright.domain.signal import Signal

NAMES_A_CALL = 100  # DescribeAlarms takes no more


class CloudWatchAlarms:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def now(self, name: str) -> AlarmNow:
        alarm = self._describe(name)
        return AlarmNow(
            state=State(alarm["StateValue"]),
            since=_transition(alarm),
            actions_enabled=alarm.get("ActionsEnabled", True),
            suppressed_by=alarm.get("ActionsSuppressedBy"),
            muted_by=self._muted_by(name),
            unjudgeable=_unjudgeable(alarm),
        )

    def alarming(self, names: Sequence[str]) -> Sequence[Signal]:
        found: list[dict[str, Any]] = []
        for start in range(0, len(names), NAMES_A_CALL):
            asked = list(names[start : start + NAMES_A_CALL])
            with translated(f"looking for alarms among {asked[0]} and {len(asked) - 1} others"):
                pages = self._aws.client("cloudwatch").get_paginator("describe_alarms")
                for page in pages.paginate(
                    AlarmNames=asked, AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="ALARM"
                ):
                    found += [*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())]
        return [_signal(alarm) for alarm in found]

    def watch(self, name: str, start: datetime, end: datetime) -> Watched:
        alarm = self._describe(name)
        definition = AlarmDefinition.parse(alarm)
        # CloudWatch cuts periods from StartTime on; on a period's border they are those that the alarm looks at.
        aligned = start - timedelta(seconds=start.timestamp() % definition.period)
        queries = _queries(alarm, definition.watched)
        doing = f"reading the metric of alarm {name}"
        found = read_metric_data(self._aws, queries, aligned, end, doing)[definition.watched]
        return Watched(name=name, metric=found.label or name, definition=definition, points=found.points)

    def _describe(self, name: str) -> dict[str, Any]:
        with translated(f"reading alarm {name}"):
            found = self._aws.client("cloudwatch").describe_alarms(
                AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        for alarm in (*found.get("MetricAlarms", ()), *found.get("CompositeAlarms", ())):
            return dict(alarm)
        raise NotFoundError(f"alarm {name} does not exist")

    def _muted_by(self, name: str) -> str | None:
        """An active mute rule that covers this alarm. Mute rules stop actions, not state changes: we must ask."""
        with translated(f"reading the mute rules of alarm {name}"):
            pages = self._aws.client("cloudwatch").get_paginator("list_alarm_mute_rules")
            for page in pages.paginate(AlarmName=name, Statuses=["ACTIVE"]):
                for rule in page.get("AlarmMuteRuleSummaries", ()):
                    return str(rule["AlarmMuteRuleArn"]).rsplit(":", 1)[-1]
        return None


def _unjudgeable(alarm: dict[str, Any]) -> str | None:
    """Why `domain.judgement` could give no verdict by this alarm's rule; None where it can."""
    if "AlarmRule" in alarm:
        return COMPOSITE
    try:
        definition = AlarmDefinition.parse(alarm)
    except BadInputError as unknown:
        return f"its rule is not known here: {unknown}"
    if definition.comparison.uses_band:
        return "it compares with a band of anomaly detection"
    if any("GROUP BY" in (query.expression or "").upper() for query in definition.queries):
        return MANY_SERIES
    return None


def _signal(alarm: dict[str, Any]) -> Signal:
    """What the alarm told when it entered its state."""
    arn = str(alarm["AlarmArn"])
    region, account = arn.split(":")[3:5]
    return Signal(
        account=account,
        region=region,
        name=alarm["AlarmName"],
        subject=arn,
        state=State(alarm["StateValue"]),
        at=_transition(alarm),
        reason=alarm.get("StateReason", ""),
    )


def _transition(alarm: dict[str, Any]) -> datetime:
    """When the alarm entered its state. StateUpdatedTimestamp also moves when only the reason changes."""
    at: datetime = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return at.astimezone(UTC)


def _queries(alarm: dict[str, Any], watched: str) -> list[dict[str, Any]]:
    if alarm.get("Metrics"):
        return list(alarm["Metrics"])
    metric = {k: alarm[k] for k in ("Namespace", "MetricName", "Dimensions") if k in alarm}
    stat = {
        "Metric": metric,
        "Period": alarm["Period"],
        "Stat": alarm.get("Statistic") or alarm["ExtendedStatistic"],
    }
    if "Unit" in alarm:
        stat["Unit"] = alarm["Unit"]
    return [{"Id": watched, "MetricStat": stat}]
