"""One incident of the shipped sample workload at each of its stages, as AWS would tell it to the room that is next."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from selfright.adapters.aws import Aws
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.adapters.manifest_files import load_workload
from selfright.domain.delivery import Delivery, DeliveryState
from selfright.domain.incident import Attempt, AttemptStatus, Incident, IncidentStatus, Plan
from selfright.domain.manifest import ChannelType
from selfright.edge.signals import signal

ROOT = Path(__file__).resolve().parent.parent
ALARM_EVENT = ROOT / "events" / "cloudwatch" / "metric-alarm.json"
RUNBOOK = "database-performance"
ENVIRONMENT = "development"
# The AWS services that each room speaks to: its floor makes these clients and no more.
CLIENTS: dict[str, tuple[str, ...]] = {
    "receive_signal": ("dynamodb", "stepfunctions"),
    "choose_runbook": ("dynamodb", "cloudwatch", "appconfigdata"),
    "run_checks": ("dynamodb", "cloudwatch", "application-autoscaling"),
    "choose_remedy": ("dynamodb",),
    "apply_action": ("dynamodb", "cloudwatch", "appconfigdata"),
    "judge_outcome": ("dynamodb", "cloudwatch"),
    "undo_action": ("dynamodb",),
    "close_incident": ("dynamodb",),
    "tell_people": ("dynamodb", "sns"),
    "sweep": ("dynamodb", "cloudwatch", "stepfunctions"),
}
# Not on the way of an incident: nobody waits for their cold start.
NOT_MEASURED = frozenset(
    {
        "configure_release",
        "request_release",
        "regret_release",
        "restore_configuration",
        "admit_release",
        "prepare_stack",
        "change_stack",
        "restore_stack",
        "publish_release",
        "test_release",
        "shift_traffic",
        "judge_release",
        "roll_back_release",
        "close_release",
        "tell_release",
        "restore_backup",
        "watch_restore",
        "watch_exports",
        "compare_copy",
        "read_part",
        "validate_restore",
        "verify_copy",
        "record_evidence",
        "clean_up_restore",
        "start_restore_tests",
        "write_sentinels",
        "sweep_restores",
        "start_backups",
        "note_change",
        "ensure_recovery",
        "plan_backup",
        "take_backup",
        "finish_backup",
        "plan_recovery",
        "recover_table",
        "compare_recovery",
        "put_items_back",
        "recover_objects",
        "recover_code",
        "recover_configuration",
        "rebuild_workload",
        "close_recovery",
        "start_drills",
    }
)
# Stands in the room's answer if all went well, so that no figure is that of a failure.
EXPECTED: dict[str, str] = {
    "receive_signal": '"batchItemFailures": []',
    "choose_runbook": '"next": "check"',
    "run_checks": '"next": "check"',
    "choose_remedy": '"next": "act"',
    "apply_action": '"next": "settle"',
    "judge_outcome": '"status": "resolved"',
    "undo_action": '"next": "check", "attempt": 2',
    "close_incident": '"status": "open"',  # read again after it was closed: the stub's ledger never changes
    "tell_people": '"told": ["alerts", "team-chat"]',  # the chat was told before: only the topic can be a stub
    "sweep": '"opened": ["inc-',  # an alarm that nobody decided on
}


class _Paper:
    """A DynamoDB that keeps what is put, by key."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.exceptions = SimpleNamespace(TransactionCanceledException=ValueError)

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> None:  # noqa: N803 - AWS's name
        for write in TransactItems:
            if "Put" in write:
                item = write["Put"]["Item"]
                self.items[item["PK"]["S"], item["SK"]["S"]] = item


def alarm_event(at: datetime) -> dict[str, Any]:
    """The recorded alarm event, as if it had happened at `at`."""
    event: dict[str, Any] = json.loads(ALARM_EVENT.read_text())
    event["detail"]["state"]["timestamp"] = at.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return event


def queue_event(*events: dict[str, Any]) -> dict[str, Any]:
    """Events as SQS hands them to Lambda."""
    return {
        "Records": [
            {
                "messageId": f"00000000-0000-0000-0000-{number:012d}",
                "receiptHandle": "handle",
                "body": json.dumps(event),
                "attributes": {},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:signals",
                "awsRegion": "eu-central-1",
            }
            for number, event in enumerate(events)
        ]
    }


class Scene:
    """`event` for a room, and AWS's `answers` to what it will ask."""

    def __init__(self, room: str) -> None:
        now = datetime.now(UTC)
        went_off = now - timedelta(minutes=1 if room in _BEFORE_THE_CHANGE else 14)
        received = signal(alarm_event(went_off))
        workload = load_workload(ROOT / "workloads" / "opportunity-analysis", ENVIRONMENT)
        binding = workload.alarm_by_name(received.name)
        if binding is None:
            raise LookupError(received.name)
        incident = Incident.open(received, workload, binding, went_off).model_copy(
            update={"runbook": RUNBOOK}
        )
        table = workload.resource(incident.resource).name
        attempt = _attempt(room, incident, table, now)

        paper = _Paper()
        aws = SimpleNamespace(lean=lambda _: paper)
        store = DynamoDBIncidentStore(_as_aws(aws), "ledger")
        store.open_or_join(incident, received, went_off)
        store.save_attempt(incident.id, attempt)
        over = room == "tell_people"
        if over:
            store.note(incident.id, [_CHAT_TOLD.entry(now)])
        items = [item for (pk, _), item in paper.items.items() if pk.startswith("INCIDENT#")]
        for item in items:
            if item["SK"]["S"] == "INCIDENT":
                item["runbook"] = {"S": RUNBOOK}
                item["status"] = {"S": "resolved" if over else "open"}

        self.event = _event(room, incident.id, alarm_event(went_off), now)
        units = 21 if attempt.status is AttemptStatus.APPLIED else 5
        self.answers = _answers(items, received.name, went_off, now, table=table, units=units)


_BEFORE_THE_CHANGE = {"receive_signal", "choose_runbook", "run_checks", "choose_remedy", "apply_action"}
_FINDINGS = {
    "throttled-by-provisioned-capacity": True,
    "undo-possible": True,
    **dict.fromkeys(
        (
            "hot-partition",
            "on-demand-cap-reached",
            "account-limit-reached",
            "table-busy",
            "table-on-demand",
            "autoscaled",
            "capacity-at-limit",
            "on-demand-allowed",
            "latency-high",
        ),
        False,
    ),
}


_CHAT_TOLD = Delivery(
    channel="team-chat",
    type=ChannelType.SLACK,
    status=IncidentStatus.RESOLVED,
    state=DeliveryState.TOLD,
    sends=1,
)


def _attempt(room: str, incident: Incident, table: str, now: datetime) -> Attempt:
    if room in {"receive_signal", "choose_runbook", "run_checks"}:
        return Attempt(number=1)
    facts = {"starved": ["write"], "usage": {"write": {"demand_peak": 14.0}}}
    found = Attempt(number=1, findings=_FINDINGS, facts=facts)
    if room == "choose_remedy":
        return found
    chosen = found.model_copy(update={"remedy": "raise-capacity"})
    if room == "apply_action":
        return chosen
    plan = Plan(
        action="dynamodb.raise_capacity",
        resource=incident.resource,
        target=table,
        summary=f"{table}: write units 5 → 21",
        before={"mode": "PROVISIONED", "read_units": 5, "write_units": 5},
        after={"mode": "PROVISIONED", "read_units": 5, "write_units": 21},
    )
    made = {
        "plan": plan,
        "fence": 1,
        "status": AttemptStatus.APPLIED,
        "applied_at": now - timedelta(minutes=11),
    }
    return chosen.model_copy(update=made)


def _event(room: str, incident_id: str, alarm: dict[str, Any], now: datetime) -> dict[str, Any]:
    match room:
        case "receive_signal":
            return queue_event(alarm)
        case "sweep":
            return {"time": now.isoformat()}
        case "tell_people":
            return {"incident_id": incident_id}
    step = {"incident_id": incident_id, "attempt": 1}
    return step | {"status": "resolved", "reason": "5 → 21"} if room == "close_incident" else step


def _answers(
    items: list[dict[str, Any]], alarm: str, since: datetime, now: datetime, *, table: str, units: int
) -> dict[str, Any]:
    minute = now.replace(second=0, microsecond=0)
    times = [minute - timedelta(minutes=m) for m in range(1, 30)]
    definition = {
        "AlarmName": alarm,
        "AlarmArn": f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{alarm}",
        "StateValue": "ALARM",
        "StateTransitionedTimestamp": since,
        "StateUpdatedTimestamp": since,
        "ActionsEnabled": True,
        "Namespace": "AWS/DynamoDB",
        "MetricName": "WriteThrottleEvents",
        "Dimensions": [{"Name": "TableName", "Value": table}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    provisioned = {"ReadCapacityUnits": 5, "WriteCapacityUnits": units, "NumberOfDecreasesToday": 0}
    return {
        "Query": {"Items": items},
        "UpdateItem": {"Attributes": {"fence": {"N": "1"}}},
        "DescribeTable": {"Table": {"TableStatus": "ACTIVE", "ProvisionedThroughput": provisioned}},
        "StartExecution": {"executionArn": "arn:aws:states:execution", "startDate": 1},
        "DescribeScalableTargets": {"ScalableTargets": []},
        "DescribeAlarms": {"MetricAlarms": [definition]},
        "ListAlarmMuteRules": {"AlarmMuteRuleSummaries": []},
        "GetMetricData": {"Timestamps": times, "Values": [0.0] * len(times)},
        "StartConfigurationSession": {"InitialConfigurationToken": "token"},
        "GetLatestConfiguration": {"kill_switch": False, "autonomy": {}},
    }


def _as_aws(stand_in: Any) -> Aws:
    return stand_in  # type: ignore[no-any-return]
