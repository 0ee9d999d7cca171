"""The sandbox with both stacks: what can be seen of it, and how it is put back between two runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from reliability.patient import Patient
from reliability.scenes import NoEndError
from sandbox.collector import Collector
from sandbox.inbox import Inbox
from sandbox.lifecycle import CONTROL_PLANE, Outputs
from sandbox.local_aws import LocalAws
from sandbox.server import Server
from sandbox.workload import stack_name
from selfright.adapters.leases import DynamoDBLeases
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.domain.incident import AttemptStatus

ENVIRONMENT, WORKLOAD = "development", "opportunity-analysis"
TABLE = f"{stack_name(ENVIRONMENT)}-analysis-results"
ALARM = f"{TABLE}-write-throttles"
UNITS = 5  # as deployed
MACHINES = ("Respond", "Undo")
# The harness plays the schedules: an idle sandbox would be busy with them.
SCHEDULES = ("SweepEveryFiveMinutes", "CanarySent")

PATIENCE = 90.0  # seconds of the wall for one run
LOOK_EVERY = 0.1

T = TypeVar("T")


class World:
    """The sandbox with both stacks, shared by the scenes."""

    def __init__(
        self,
        server: Server,
        stacks: Mapping[str, Outputs],
        patient: Patient,
        inbox: Inbox,
        collector: Collector,
    ) -> None:
        self.server, self.patient, self.inbox, self.collector = server, patient, inbox, collector
        self.outputs = stacks[CONTROL_PLANE]
        self.aws = LocalAws(server)
        self.ledger = DynamoDBIncidentStore(self.aws, self.outputs["LedgerTable"])
        self.leases = DynamoDBLeases(self.aws, self.outputs["LedgerTable"])
        resources = self.aws.client("cloudformation").describe_stack_resources(StackName=CONTROL_PLANE)
        self.physical = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources["StackResources"]}
        for schedule in SCHEDULES:
            self.aws.client("events").disable_rule(Name=self.physical[schedule])

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.server.now(), UTC)

    def until(self, what: str, look: Callable[[], T | None], seconds: float = PATIENCE) -> T:
        """The first true answer. Raises NoEndError after so many seconds of the wall."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > deadline:
                raise NoEndError(f"not within {seconds:g} s: {what}")
            time.sleep(LOOK_EVERY)
        return found

    def table(self) -> dict[str, Any]:
        found: dict[str, Any] = self.aws.client("dynamodb").describe_table(TableName=TABLE)["Table"]
        return found

    def units(self) -> int:
        """Once no change is under way any more."""
        self.until("the table is ACTIVE", lambda: self.table()["TableStatus"] == "ACTIVE")
        return int(self.table()["ProvisionedThroughput"]["WriteCapacityUnits"])

    def alarm_is_ok(self) -> bool:
        names = [ALARM, self.physical["RespondFailed"]]
        alarms = self.aws.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        return all(alarm["StateValue"] != "ALARM" for alarm in alarms)

    def waiting(self, queue: str, *, in_flight: bool = True) -> int:
        """Messages in a queue, with those that somebody works on."""
        names = [
            "ApproximateNumberOfMessages",
            *(["ApproximateNumberOfMessagesNotVisible"] if in_flight else ()),
        ]
        url = self.outputs[queue]
        found = self.aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def executions(self, incident_id: str = "") -> list[dict[str, Any]]:
        """Those of an incident, or all; with the logical name of their state machine."""
        client = self.aws.client("stepfunctions")
        return [
            {**execution, "machine": machine}
            for machine in MACHINES
            for execution in client.list_executions(stateMachineArn=self.physical[machine])["executions"]
            if execution["name"].startswith(incident_id)
        ]

    def acted(self, incident_id: str) -> bool:
        return any(
            attempt.status is AttemptStatus.APPLIED for attempt in self.ledger.case(incident_id).attempts
        )

    def sweep(self) -> None:
        """As its schedule invokes it; what it answers is its own business."""
        payload = json.dumps({"time": f"{self.now():%Y-%m-%dT%H:%M:%SZ}"})
        self.aws.client("lambda").invoke(FunctionName=self.physical["Sweep"], Payload=payload)

    # -- putting back

    def put_back(self) -> None:
        """Everything but what is warm, and CloudWatch's memory."""
        self.patient.recover()
        for execution in self.executions():
            if execution["status"] == "RUNNING":
                self.aws.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
        self._fresh_table()
        self.until("the alarms are OK", self.alarm_is_ok)
        self.until("intake is idle", lambda: self.waiting("SignalsUrl", in_flight=False) == 0)
        for queue in ("SignalsUrl", "SignalsDeadLettersUrl"):
            self.aws.client("sqs").purge_queue(QueueUrl=self.outputs[queue])
        self.wipe_ledger()
        self.inbox.drain()
        self.collector.forget()

    def _fresh_table(self) -> None:
        """A new one: DynamoDB grants few decreases a day, and those are the product's to use."""
        before, client = self.table(), self.aws.client("dynamodb")
        client.delete_table(TableName=TABLE)
        client.create_table(
            TableName=TABLE,
            KeySchema=before["KeySchema"],
            AttributeDefinitions=before["AttributeDefinitions"],
            BillingMode="PROVISIONED",
            ProvisionedThroughput={"ReadCapacityUnits": UNITS, "WriteCapacityUnits": UNITS},
        )
        self.until("the table is ACTIVE", lambda: self.table()["TableStatus"] == "ACTIVE")

    def wipe_ledger(self) -> None:
        keys = [{"PK": item["PK"], "SK": item["SK"]} for item in self.ledger_items()]
        self._write_ledger([{"DeleteRequest": {"Key": key}} for key in keys])

    def ledger_items(self) -> list[dict[str, Any]]:
        pages = (
            self.aws.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs["LedgerTable"])
        )
        return [item for page in pages for item in page["Items"]]

    def put_ledger_items(self, items: list[dict[str, Any]]) -> None:
        self._write_ledger([{"PutRequest": {"Item": item}} for item in items])

    def _write_ledger(self, requests: list[dict[str, Any]]) -> None:
        for at in range(0, len(requests), 25):  # BatchWriteItem takes no more
            some = {self.outputs["LedgerTable"]: requests[at : at + 25]}
            self.aws.client("dynamodb").batch_write_item(RequestItems=some)
