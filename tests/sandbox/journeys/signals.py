"""Alarm state changes as EventBridge tells them, and what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.server import ACCOUNT, REGION
from sandbox.workload import stack_name
from selfright.adapters import ledger_keys
from selfright.domain.signal import DecisionRecord
from selfright.edge.alarm_event import alarm_signal
from tests.sandbox.journeys.world import ENVIRONMENT, World


def event(alarm: str, state: str, at: datetime, reason: str = "rehearsed") -> dict[str, Any]:
    """`alarm`: without the workload's and the environment's name."""
    name = f"{stack_name(ENVIRONMENT)}-{alarm}"
    moment = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"
    return {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "account": ACCOUNT,
        "region": REGION,
        "resources": [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"],
        "detail": {
            "alarmName": name,
            "state": {"value": state, "reason": reason, "timestamp": moment},
            "previousState": {"value": "OK" if state == "ALARM" else "ALARM", "timestamp": moment},
            "configuration": {"metrics": []},
        },
    }


def decision(world: World, told: dict[str, Any]) -> DecisionRecord | None:
    """What was decided on an event, once it was."""
    found = world.client("dynamodb").get_item(
        TableName=world.outputs["LedgerTable"],
        Key=ledger_keys.signal(alarm_signal(told).id),
        ConsistentRead=True,
    )
    return DecisionRecord.model_validate_json(found["Item"]["doc"]["S"]) if "Item" in found else None


def times_decided(world: World, reason: str) -> int:
    """How many deliveries of the event with that reason the function dealt with, by its own log."""
    group = world.physical_name("LogGroup")
    pages = world.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    lines = (line["message"] for page in pages for line in page["events"])
    return sum('"message done"' in line and reason in line for line in lines)
