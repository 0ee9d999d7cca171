"""`respond` and `recover` are started once per incident, under the incident's name."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from selfright.adapters.aws import Aws
from selfright.adapters.workflows import (
    StepFunctionsDeployments,
    StepFunctionsRollBacks,
    StepFunctionsWorkflows,
)
from selfright.domain.errors import SourceDownError, ThrottledError
from selfright.domain.incident import Incident
from selfright.domain.release import StopReason
from tests.unit.adapters.conftest import Stubbed
from tests.unit.usecases.world import signal, workload

RESPOND = "arn:aws:states:eu-central-1:123456789012:stateMachine:selfright-respond"
MACHINE = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'


@pytest.fixture
def respond(aws: Aws) -> Iterator[str]:
    client = aws.client("stepfunctions")
    role = "arn:aws:iam::123456789012:role/respond"
    arn = client.create_state_machine(name="respond", definition=MACHINE, roleArn=role)["stateMachineArn"]
    yield arn
    client.delete_state_machine(stateMachineArn=arn)


def test_starting_twice_starts_one_execution(aws: Aws, respond: str):
    workflows = StepFunctionsWorkflows(aws, respond)

    workflows.start("inc-1")
    workflows.start("inc-1")
    workflows.start("inc-2")

    executions = aws.client("stepfunctions").list_executions(stateMachineArn=respond)["executions"]
    assert sorted(e["name"] for e in executions) == ["inc-1", "inc-2"]
    described = aws.client("stepfunctions").describe_execution(executionArn=executions[0]["executionArn"])
    assert json.loads(described["input"]) == {"incident_id": described["name"]}


def test_an_execution_that_is_over_is_not_started_again(stubbed: Stubbed):
    stubbed.refuse("stepfunctions", "start_execution", "ExecutionAlreadyExists")

    StepFunctionsWorkflows(stubbed.aws, RESPOND).start("inc-1")


@pytest.mark.parametrize(
    ("code", "ours"),
    [("ThrottlingException", ThrottledError), ("StateMachineDoesNotExist", SourceDownError)],
)
def test_a_start_that_failed_is_not_kept_quiet(stubbed: Stubbed, code: str, ours: type[Exception]):
    stubbed.refuse("stepfunctions", "start_execution", code)

    with pytest.raises(ours, match="starting respond for inc-1"):
        StepFunctionsWorkflows(stubbed.aws, RESPOND).start("inc-1")


def test_an_incidents_id_is_a_valid_execution_name():
    shop = workload()
    binding = shop.alarm_by_name(signal().name)
    assert binding

    incident = Incident.open(signal(), shop, binding, signal().at)

    assert len(incident.id) <= 80
    assert incident.id.replace("-", "").isalnum()


def test_an_execution_is_looked_up_by_its_incident(aws: Aws, respond: str):
    workflows = StepFunctionsWorkflows(aws, respond)
    workflows.start("inc-1")

    assert workflows.status("inc-1") == "RUNNING"
    assert workflows.status("inc-2") is None


def test_an_execution_that_cannot_be_looked_up_is_not_said_to_be_missing(stubbed: Stubbed):
    stubbed.refuse("stepfunctions", "describe_execution", "AccessDeniedException")

    with pytest.raises(SourceDownError, match="reading the respond execution of inc-1"):
        StepFunctionsWorkflows(stubbed.aws, RESPOND).status("inc-1")


def test_a_recovery_is_started_once_and_looked_up_apart_from_the_incidents_own_execution(
    aws: Aws, respond: str
):
    workflows = StepFunctionsWorkflows(
        aws, "arn:aws:states:eu-central-1:123456789012:stateMachine:other", respond
    )

    assert workflows.undoing("inc-1") is None
    workflows.undo("inc-1", 2, "respond: FAILED")
    workflows.undo("inc-1", 2, "respond: FAILED")

    (execution,) = aws.client("stepfunctions").list_executions(stateMachineArn=respond)["executions"]
    described = aws.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == {
        "incident_id": "inc-1",
        "attempt": 2,
        "failure": "respond: FAILED",
    }
    assert (workflows.status("inc-1"), workflows.undoing("inc-1")) == (None, "RUNNING")


# -- roll_back, by a machine's own decision


def test_a_release_goes_back_once_whoever_decides_it_first(aws: Aws, respond: str):
    roll_backs = StepFunctionsRollBacks(aws, respond)

    roll_backs.start("shop-42", "Threshold Crossed", "checkout-errors", StopReason.ALARM_WENT_OFF)
    roll_backs.start("shop-42", "checkout fails", "respond", StopReason.INCIDENT)

    client = aws.client("stepfunctions")
    (execution,) = client.list_executions(stateMachineArn=respond)["executions"]
    assert execution["name"] == "shop-42-back"
    described = client.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == {
        "release_id": "shop-42",
        "reason": "Threshold Crossed",
        "actor": "checkout-errors",
        "cause": "alarm-went-off",
        "to": "none",
    }


def test_a_roll_back_that_could_not_be_started_is_not_kept_quiet(stubbed: Stubbed):
    stubbed.refuse("stepfunctions", "start_execution", "ThrottlingException")

    with pytest.raises(ThrottledError, match="for shop-42-back"):
        StepFunctionsRollBacks(stubbed.aws, RESPOND).start(
            "shop-42", "x" * 2000, "respond", StopReason.INCIDENT
        )


def test_a_lost_release_is_taken_back_once_under_its_own_name(aws: Aws, respond: str):
    deployments = StepFunctionsDeployments(aws, respond, respond)
    assert (deployments.status("shop-42"), deployments.taking_back("shop-42")) == (None, None)

    for _ in range(2):
        deployments.take_back("shop-42", "its execution is ABORTED", "the sweep")

    (execution,) = aws.client("stepfunctions").list_executions(stateMachineArn=respond)["executions"]
    described = aws.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == {
        "release_id": "shop-42",
        "reason": "its execution is ABORTED",
        "actor": "the sweep",
        "cause": "execution-lost",
        "to": "none",
    }
    assert deployments.taking_back("shop-42") == "RUNNING"
