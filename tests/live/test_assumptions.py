"""What the sandbox takes for granted about AWS, asked of AWS itself."""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from selfright.adapters.alarms import CloudWatchAlarms
from selfright.adapters.aws import Aws
from selfright.adapters.leases import DynamoDBLeases
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.adapters.switches import AppConfigSwitchBoard
from selfright.adapters.tables import DynamoDBTables
from selfright.domain.alarms import State
from selfright.domain.errors import ConflictError
from selfright.edge.alarm_event import alarm_signal
from tests.live.conftest import Account, eventually


def test_an_alarm_event_has_the_shape_that_intake_reads(account: Account, alarm: str):
    # Given a rule of our own that sends alarm events to a queue of our own
    sqs, events, cloudwatch = (account.client(s) for s in ("sqs", "events", "cloudwatch"))
    queue = sqs.create_queue(QueueName=alarm)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ]
    }
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [alarm]}}
    events.put_rule(Name=alarm, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=alarm, Targets=[{"Id": "q", "Arn": arn}])
    try:
        time.sleep(5)
        # When the alarm changes its state
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="live test")
        (message,) = eventually(
            lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10).get("Messages"), 120
        )
        signal = alarm_signal(json.loads(message["Body"]))
    finally:
        events.remove_targets(Rule=alarm, Ids=["q"])
        events.delete_rule(Name=alarm)
        sqs.delete_queue(QueueUrl=queue)
    # Then intake reads it, and the API's transition is the event's to within the tolerance of the stale-episode gate
    assert (signal.name, signal.state) == (alarm, State.ALARM)
    assert abs(CloudWatchAlarms(Aws()).now(alarm).since - signal.at) < timedelta(seconds=1)


def test_throttle_metrics_carry_the_names_that_the_check_reads(account: Account, table: str):
    # Given more writes than one unit serves
    dynamodb = account.client("dynamodb")
    item = {"PK": {"S": "x"}, "data": {"S": "x" * 4000}}

    def write(_: int) -> bool:
        try:
            dynamodb.put_item(TableName=table, Item=item)
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "ProvisionedThroughputExceededException")
        return False

    with ThreadPoolExecutor(16) as pool:
        assert any(pool.map(write, range(1000)))
    # When the metrics have arrived
    tables = DynamoDBTables(Aws())

    def usage() -> object | None:
        now = datetime.now(UTC)
        found = tables.usage(table, now - timedelta(minutes=15), now)["write"]
        return found if found.throttles.provisioned else None

    # Then the cause of the throttles is told by name
    assert eventually(usage, 600)


def test_two_callers_cannot_hold_one_lease(account: Account):
    # Given a lease held by one
    leases = DynamoDBLeases(Aws(), account.outputs["LedgerTable"])
    target, now = f"live-{uuid.uuid4().hex}", datetime.now(UTC)
    first = leases.acquire(target, "one", now + timedelta(minutes=1), now)
    # When another wants it
    with pytest.raises(ConflictError):
        leases.acquire(target, "two", now + timedelta(minutes=1), now)
    # Then only a release lets it through, with a higher token
    leases.release(target, "one")
    assert leases.acquire(target, "two", now + timedelta(minutes=1), now) > first
    leases.release(target, "two")


def test_the_ledger_answers_through_its_index(account: Account):
    store = DynamoDBIncidentStore(Aws(), account.outputs["LedgerTable"])
    assert store.incidents(f"live-{uuid.uuid4().hex[:6]}", "development", 5) == []


def test_the_switch_board_can_be_read(account: Account):
    board = AppConfigSwitchBoard(
        Aws(), *(account.outputs[f"Switch{name}"] for name in ("Application", "Environment", "Profile"))
    )
    assert board.read().kill_switch in {True, False}


def test_a_finished_executions_name_stays_taken(account: Account):
    # Given an execution of an incident that does not exist: it ends, telling people nothing
    machine, states = account.outputs["RespondArn"], account.client("stepfunctions")
    name = f"inc-{uuid.uuid4().hex[:12]}-20000101T000000000"
    given = {"stateMachineArn": machine, "name": name, "input": json.dumps({"incident_id": name})}
    execution = states.start_execution(**given)["executionArn"]
    eventually(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING" or None, 300)
    # When it is started again under the same name, then it is refused
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(**given)
