"""The documents CloudWatch writes about an alarm's change of state: event detail, SNS message, Lambda event.

Sources: CloudWatch User Guide, "Alarm events and EventBridge" and "Invoke a Lambda function from an alarm"; the
SNS message as recorded in aws-lambda-go's test data.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from functools import cache
from typing import Any

Alarm = dict[str, Any]
Document = dict[str, Any]

_CREATED = "Unchecked: Initial alarm creation"
_STATISTICS = {"SampleCount": "SAMPLE_COUNT"}  # the others are written in capitals
_SUPPRESSION = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def aws_time(epoch: float) -> str:
    """A moment as alarm documents write it: 2019-10-02T17:04:40.989+0000."""
    at = datetime.fromtimestamp(epoch, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def state(alarm: Alarm) -> Document:
    """`state` of an event: what the alarm record says now."""
    shown = {"value": alarm["StateValue"], "reason": alarm.get("StateReason", "")}
    if alarm.get("StateReasonData"):
        shown["reasonData"] = alarm["StateReasonData"]
    shown["timestamp"] = aws_time(alarm["StateUpdatedTimestamp"])
    if alarm.get("ActionsSuppressedBy"):
        shown["actionsSuppressedBy"] = alarm["ActionsSuppressedBy"]
        shown["actionsSuppressedReason"] = alarm["ActionsSuppressedReason"]
    return shown


def initial_state(alarm: Alarm, value: str) -> Document:
    """`previousState` of an alarm that never changed before."""
    return {
        "value": value,
        "reason": _CREATED,
        "timestamp": aws_time(alarm["AlarmConfigurationUpdatedTimestamp"]),
    }


def detail(alarm: Alarm, now: Document, previous: Document, muted_by: str | None) -> Document:
    """The event's detail. `muted_by`: ARN of the mute rule that holds the actions back."""
    return {
        "alarmName": alarm["AlarmName"],
        "state": now,
        "previousState": previous,
        "configuration": _configuration(alarm),
        **({"muteDetail": {"mutedBy": muted_by}} if muted_by else {}),
    }


def lambda_event(alarm: Alarm, shown: Document, account: str, region: str) -> Document:
    return {
        "source": "aws.cloudwatch",
        "alarmArn": alarm["AlarmArn"],
        "accountId": account,
        "time": shown["state"]["timestamp"],
        "region": region,
        "alarmData": shown,
    }


def sns_message(alarm: Alarm, shown: Document, account: str, region: str) -> str:
    message = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": aws_time(alarm["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": shown["state"]["value"],
        "NewStateReason": shown["state"]["reason"],
        "StateChangeTime": shown["state"]["timestamp"],
        "Region": _region_name(region),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": shown["previousState"]["value"],
        **{name: alarm.get(name) or [] for name in ("OKActions", "AlarmActions", "InsufficientDataActions")},
    }
    if "AlarmRule" in alarm:
        message["AlarmRule"] = alarm["AlarmRule"]
    else:
        message["Trigger"] = _trigger(alarm)
    return json.dumps(message)


def sns_subject(alarm: Alarm, shown: Document, region: str) -> str:
    """At most 100 characters, as SNS demands."""
    return f'{shown["state"]["value"]}: "{alarm["AlarmName"]}" in {_region_name(region)}'[:100]


def _configuration(alarm: Alarm) -> Document:
    shown: Document = {}
    if alarm.get("AlarmDescription"):
        shown["description"] = alarm["AlarmDescription"]
    if "AlarmRule" in alarm:
        shown["alarmRule"] = alarm["AlarmRule"]
        for name in _SUPPRESSION:
            if alarm.get(name) is not None:
                shown[name[0].lower() + name[1:]] = alarm[name]
        return shown
    shown["metrics"] = [_query(query) for query in alarm.get("Metrics") or [_only_query(alarm)]]
    return shown


def _only_query(alarm: Alarm) -> Document:
    """The query of an alarm on one metric. AWS gives it an id of its own making: a UUID."""
    return {
        "Id": str(uuid.uuid5(uuid.NAMESPACE_URL, alarm["AlarmArn"])),
        "MetricStat": {
            "Metric": {name: alarm.get(name) for name in ("Namespace", "MetricName", "Dimensions")},
            "Period": alarm["Period"],
            "Stat": alarm.get("ExtendedStatistic") or alarm.get("Statistic"),
            "Unit": alarm.get("Unit"),
        },
    }


def _query(query: Document) -> Document:
    shown: Document = {"id": query["Id"]}
    if source := query.get("MetricStat"):
        metric = source["Metric"]
        shown["metricStat"] = {
            "metric": {
                "namespace": metric["Namespace"],
                "name": metric["MetricName"],
                "dimensions": {each["Name"]: each["Value"] for each in metric.get("Dimensions") or ()},
            },
            "period": source["Period"],
            "stat": source["Stat"],
            **({"unit": source["Unit"]} if source.get("Unit") else {}),
        }
    else:
        shown["expression"] = query["Expression"]
    if query.get("Label"):
        shown["label"] = query["Label"]
    shown["returnData"] = query.get("ReturnData", True)
    return shown


def _trigger(alarm: Alarm) -> Document:
    trigger: Document = {
        "Period": alarm.get("Period"),
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        "DatapointsToAlarm": alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]),
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm.get("TreatMissingData") or "",
        "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile") or "",
    }
    if alarm.get("Metrics"):
        trigger["Metrics"] = [_with_lower_dimensions(query) for query in alarm["Metrics"]]
        del trigger["Period"]
        return trigger
    extended = alarm.get("ExtendedStatistic")
    stat = alarm.get("Statistic") or ""
    trigger |= {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        **(
            {"ExtendedStatistic": extended}
            if extended
            else {"Statistic": _STATISTICS.get(stat, stat.upper())}
        ),
        "Unit": alarm.get("Unit"),
        "Dimensions": _lower(alarm.get("Dimensions")),
    }
    return trigger


def _with_lower_dimensions(query: Document) -> Document:
    if "MetricStat" not in query:
        return query
    source = query["MetricStat"]
    metric = {**source["Metric"], "Dimensions": _lower(source["Metric"].get("Dimensions"))}
    return {**query, "MetricStat": {**source, "Metric": metric}}


def _lower(dimensions: list[Document] | None) -> list[Document]:
    return [{"value": each["Value"], "name": each["Name"]} for each in dimensions or ()]


@cache
def _region_name(region: str) -> str:
    """US East (N. Virginia), as the message says instead of us-east-1."""
    from botocore.session import get_session

    partitions = get_session().get_component("data_loader").load_data("partitions")["partitions"]
    names = {code: each["description"] for part in partitions for code, each in part["regions"].items()}
    return str(names.get(region, region))
