"""The one sandbox of all journeys: what can be seen of it, what people can do in it, how it is put back."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from sandbox.lifecycle import CONTROL_PLANE, Outputs
from sandbox.local_aws import LocalAws
from sandbox.server import Server
from sandbox.workload import stack_name
from selfright.adapters.leases import DynamoDBLeases
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.domain.incident import CaseFile, EntryKind, Incident, IncidentStatus
from tests.sandbox.journeys.load import Load

ENVIRONMENT = "development"
WORKLOAD = "opportunity-analysis"
TABLE = f"{stack_name(ENVIRONMENT)}-analysis-results"
ALARM = f"{TABLE}-write-throttles"

PROVISIONED = {"mode": "PROVISIONED", "read": 5, "write": 5}  # as deployed
# Write units of one item at half an item a second. Calm is four fifths of the table's capacity, so that it saves up
# little that a surge would have to use up first. A surge wants 18 units (70 % used): 3.6 times five, and
# the manifest allows four times.
CALM, SURGE, FLOOD = 8, 24, 100
# What calm and surge are where users write one and a half units a second, too.
LIGHT, SURGE_BESIDE_USERS = 4, 18
# The runbook's checks look back so far: what they saw in one journey they would see in the next.
LOOK_BACK = timedelta(minutes=10)

PATIENCE = 60.0  # seconds of the wall; nothing here takes half of it on an idle machine
LOOK_EVERY = 0.1
STILL_CALM = 1.0  # seconds of the wall after calming down: no journey was in between

LINES, LINE = 40, 300  # of the emulator's log

T = TypeVar("T")


class Call(NamedTuple):
    """A call of AWS that IAM granted to a role."""

    role: str
    action: str
    resource: str


class World:
    def __init__(self, server: Server, stacks: Mapping[str, Outputs], load: Load) -> None:
        self.server = server
        self.outputs = stacks[CONTROL_PLANE]
        self.load = load
        self.aws = LocalAws(server)
        self.ledger = DynamoDBIncidentStore(self.aws, self.outputs["LedgerTable"])
        self.leases = DynamoDBLeases(self.aws, self.outputs["LedgerTable"])
        self.granted: dict[str, set[Call]] = {}  # by journey, those that are over
        self._tainted_until = self.now()
        self._calm_at = -STILL_CALM

    # -- seeing

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.server.now(), UTC)

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def until(self, what: str, look: Callable[[], T | None], seconds: float = PATIENCE) -> T:
        """The first answer of `look` that is something; fails after `seconds` of the wall."""
        deadline = time.monotonic() + seconds
        while True:
            if found := look():
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:g} s: {what}")
            time.sleep(LOOK_EVERY)

    def alarm_state(self) -> str:
        (alarm,) = self.client("cloudwatch").describe_alarms(AlarmNames=[ALARM])["MetricAlarms"]
        return str(alarm["StateValue"])

    def table(self) -> dict[str, Any]:
        """Mode and units of the table, once it is ACTIVE."""

        def look() -> dict[str, Any] | None:
            found = self.client("dynamodb").describe_table(TableName=TABLE)["Table"]
            units = found["ProvisionedThroughput"]
            seen = {
                "mode": found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
                "read": units["ReadCapacityUnits"],
                "write": units["WriteCapacityUnits"],
            }
            return seen if found["TableStatus"] == "ACTIVE" else None

        return self.until("the table is ACTIVE", look)

    def incidents(self, since: datetime) -> list[Incident]:
        """Those opened since then, newest first."""
        return [i for i in self.ledger.incidents(WORKLOAD, ENVIRONMENT, 50) if i.opened_at > since]

    def executions(self, incident_id: str) -> list[dict[str, Any]]:
        found = self.client("stepfunctions").list_executions(stateMachineArn=self.outputs["RespondArn"])
        return [e for e in found["executions"] if e["name"].startswith(incident_id)]

    def states_entered(self, incident_id: str) -> list[str]:
        return self._history(incident_id, "stateEnteredEventDetails", "name")

    def errors_of_tasks(self, incident_id: str) -> list[str]:
        return self._history(incident_id, "taskFailedEventDetails", "error")

    def _history(self, incident_id: str, kind: str, what: str) -> list[str]:
        (execution,) = self.executions(incident_id)
        history = self.client("stepfunctions").get_execution_history(
            executionArn=execution["executionArn"], maxResults=1000
        )
        return [event[kind][what] for event in history["events"] if kind in event]

    def physical_name(self, resource: str) -> str:
        """What a resource of the control plane's template is called in this deployment."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName=CONTROL_PLANE, LogicalResourceId=resource
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def acted(self, incident_id: str) -> bool:
        kinds = {entry.kind for entry in self.ledger.case(incident_id).timeline}
        return EntryKind.ACTION_APPLIED in kinds

    def closed(self, incident_id: str, seconds: float = PATIENCE) -> CaseFile:
        """The case once it is closed and its execution has ended: people have been told, too."""

        def look() -> CaseFile | None:
            case = self.ledger.case(incident_id)
            over = all(e["status"] != "RUNNING" for e in self.executions(incident_id))
            return case if over and case.incident.status is not IncidentStatus.OPEN else None

        return self.until(f"incident {incident_id} is closed", look, seconds)

    def take_messages(self, queue: str) -> list[str]:
        """The bodies of what lies in a queue, at most ten; they are gone from it."""
        sqs = self.client("sqs")
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=60)
        messages = found.get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    # -- what happens to the workload

    def alarm_goes_off(self, units: int = SURGE) -> Incident:
        """A new episode under this load: at once where the alarm is on already, as when it flaps."""
        began = self.now()
        if self.alarm_state() == "ALARM":
            self.set_alarm("OK")
        self.throttled(units)
        return self.until("an incident is opened", lambda: next(iter(self.incidents(began)), None))

    def throttled(self, units: int = SURGE) -> None:
        """A load that the table cannot serve, until the alarm says so."""
        self.load.write(units)
        self.until("the alarm is on", lambda: self.alarm_state() == "ALARM")

    def set_alarm(self, state: str) -> None:
        self.client("cloudwatch").set_alarm_state(
            AlarmName=ALARM, StateValue=state, StateReason="set by a person"
        )

    def set_units(self, write: int) -> None:
        """Change the table by hand."""
        self.client("dynamodb").update_table(
            TableName=TABLE,
            ProvisionedThroughput={"ReadCapacityUnits": PROVISIONED["read"], "WriteCapacityUnits": write},
        )

    def set_on_demand(self, maximum: int | None = None) -> None:
        """No units of its own, and at most `maximum` written units a second."""
        self.client("dynamodb").update_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            OnDemandThroughput={"MaxWriteRequestUnits": maximum or -1},
        )
        self.table()

    def inject(self, event: dict[str, Any]) -> None:
        """Put an event on the bus that only AWS itself can send."""
        self._ask("POST", "events", json.dumps(event).encode())

    def note_calls(self, journey: str) -> None:
        """What IAM granted to roles since the last look was for that journey."""
        told = self._ask("DELETE", "iam-calls")
        self.granted.setdefault(journey, set()).update(Call(**call) for call in told)

    def _ask(self, method: str, what: str, body: bytes | None = None) -> Any:
        """What AWS has no API for: sandbox/emulator."""
        where = f"{self.server.endpoint}/_selfright/{what}"
        request = urllib.request.Request(where, body, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - this machine's own emulator
            return json.load(answer)

    def throw_switches(self, **switches: Any) -> None:
        """What stands on the switch board from now on, by a new version and its deployment."""
        appconfig = self.client("appconfig")
        where = {
            "ApplicationId": self.outputs["SwitchApplication"],
            "ConfigurationProfileId": self.outputs["SwitchProfile"],
        }
        version = appconfig.create_hosted_configuration_version(
            **where,
            ContentType="application/json",
            Content=json.dumps({"kill_switch": False, "autonomy": {}, **switches}).encode(),
        )["VersionNumber"]
        deployment = appconfig.start_deployment(
            **where,
            EnvironmentId=self.outputs["SwitchEnvironment"],
            ConfigurationVersion=str(version),
            DeploymentStrategyId=self.outputs["SwitchStrategy"],
        )
        assert deployment["State"] == "COMPLETE"

    # -- putting back

    def taint(self, lasts: timedelta = LOOK_BACK) -> None:
        """The next journey would still see what this one did."""
        self._tainted_until = max(self._tainted_until, self.now() + lasts)

    def wait_until_untainted(self) -> None:
        self.until("the checks see nothing of the last journey", lambda: self.now() > self._tainted_until)

    def calm_down(self) -> None:
        """As it was deployed: calm traffic, nothing under way, a table made anew, the alarm OK, an empty ledger.

        DynamoDB grants a table few changes a day, and the gates let few be made; a journey has them all to itself.
        """
        self.load.write(CALM)
        self.until("no incident is worked on", lambda: not self._under_way())
        self.renew_table()
        self.until("the alarm is OK", lambda: self.alarm_state() == "OK")
        self.forget()
        self._calm_at = time.monotonic()

    def is_calm(self) -> bool:
        """It has just calmed down."""
        return time.monotonic() - self._calm_at < STILL_CALM

    def forget(self) -> None:
        """Selfright remembers nothing: no incident, no change, no count, no flapping, no storm."""
        dynamodb, table = self.client("dynamodb"), self.outputs["LedgerTable"]
        pages = dynamodb.get_paginator("scan").paginate(
            TableName=table, ProjectionExpression="PK, SK", ConsistentRead=True
        )
        for item in (item for page in pages for item in page["Items"]):
            dynamodb.delete_item(TableName=table, Key=item)

    def _under_way(self) -> bool:
        """Also an incident that its execution left open: nothing here may hide one."""
        running = self.client("stepfunctions").list_executions(
            stateMachineArn=self.outputs["RespondArn"], statusFilter="RUNNING"
        )["executions"]
        open_ = [i for i in self.incidents(datetime.fromtimestamp(0, UTC)) if i.status is IncidentStatus.OPEN]
        return bool(running or open_)

    def renew_table(self) -> None:
        """Empty and as it was deployed, without the units that it had saved up."""
        self.table()  # one that is being changed cannot be deleted
        dynamodb = self.client("dynamodb")
        shape = dynamodb.describe_table(TableName=TABLE)["Table"]
        tags = dynamodb.list_tags_of_resource(ResourceArn=shape["TableArn"])["Tags"]  # else it has drifted
        dynamodb.delete_table(TableName=TABLE)
        dynamodb.get_waiter("table_not_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1})
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=shape["KeySchema"],
            AttributeDefinitions=shape["AttributeDefinitions"],
            Tags=tags,
            ProvisionedThroughput={
                "ReadCapacityUnits": PROVISIONED["read"],
                "WriteCapacityUnits": PROVISIONED["write"],
            },
        )
        assert self.table() == PROVISIONED
        dynamodb.update_continuous_backups(
            TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )

    # -- for a failed test

    def story(self) -> str:
        """How the alarm and the load are, and the last incident's timeline."""
        lines = [f"alarm {self.alarm_state()}, load {dict(self.load.answers)}"]
        for incident in self.ledger.incidents(WORKLOAD, ENVIRONMENT, 1):
            lines.append(f"{incident.id}: {incident.status}, {incident.outcome}")
            for entry in self.ledger.case(incident.id).timeline:
                at = (entry.at - incident.episode).total_seconds()
                lines.append(f"{at:8.1f} s  {entry.kind}: {entry.text}")
        return "\n".join(lines)

    def log(self) -> str:
        """The emulator's last lines, without what Lambda writes about every invocation."""
        lines = self.server.log.read_text(errors="replace").splitlines()
        telling = [line for line in lines if not line.startswith(("START ", "END ", "REPORT ", '{"_aws"'))]
        return "\n".join(line[:LINE] for line in telling[-LINES:])
