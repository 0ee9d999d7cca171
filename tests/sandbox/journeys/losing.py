"""A workload at its last good moment, what is lost of it since, and what came of recoveries."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import boto3

from sandbox.server import ACCOUNT, REGION, ROOT
from sandbox.workload import stack_name
from selfright.adapters.recoveries import DynamoDBRecoveries
from selfright.domain.recovery.record import Recovery, Status, id_of
from selfright.domain.serving import FlagPlace
from tests.sandbox.emulator.lambda_functions import eventually
from tests.sandbox.journeys.world import ENVIRONMENT, WORKLOAD, World

PREFIX = stack_name(ENVIRONMENT)
SESSIONS, BUCKET, FUNCTION = (
    f"{PREFIX}-user-sessions",
    f"{PREFIX}-query-results-000000000000",
    f"{PREFIX}-data-retrieval",
)
SETTINGS = f"/{WORKLOAD}/{ENVIRONMENT}/settings"
APPROVED = {"approver": "a second person", "at_most": 20}
FLAG = FlagPlace(application=PREFIX, environment=ENVIRONMENT, profile="flags", flag="use_fallback_model")
OTHER = "111122223333"  # an account that has nothing
PATIENCE = 120.0  # seconds of the wall


class Lost:
    """A workload at its last good moment, `point`, and what was lost of it since."""

    def __init__(self, world: World) -> None:
        self.world, self.states = world, world.client("stepfunctions")
        self.recoveries = DynamoDBRecoveries(world.aws, world.outputs["LedgerTable"])
        self.dynamodb, self.s3 = world.client("dynamodb"), world.client("s3")
        self.lambdas, self.ssm = world.client("lambda"), world.client("ssm")
        self.point = world.now()
        self.good = self.lambdas.get_function_configuration(FunctionName=FUNCTION, Qualifier="live")[
            "CodeSha256"
        ]

    def start(self, name: str, scenario: str, **given: Any) -> str:
        asked = {
            "workload": WORKLOAD,
            "environment": ENVIRONMENT,
            "scenario": scenario,
            "requested_by": "a person",
            "reason": "a journey",
            "dry_run": False,
            **given,
        }
        started = self.states.start_execution(
            stateMachineArn=self.world.outputs["RecoverArn"], name=name, input=json.dumps(asked)
        )
        return str(started["executionArn"])

    def ended(self, execution: str) -> Recovery:
        shown = eventually(
            lambda: self.states.describe_execution(executionArn=execution),
            lambda shown: shown["status"] != "RUNNING",
            PATIENCE,
        )
        found = self.recoveries.find(id_of(execution))
        assert found is not None, shown.get("cause")
        wanted = "SUCCEEDED" if found.status in {Status.RECOVERED, Status.PLANNED} else "FAILED"
        assert shown["status"] == wanted, (found.why, shown.get("cause"))
        print(  # noqa: T201 - what a journey is asked for
            f"{found.asked.scenario} {found.asked.mode}: {found.status}, RTO {found.rto_seconds} s, RPO {found.rpo_seconds} s"
        )
        return found

    def items(self, table: str) -> dict[str, dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return {
            json.dumps([v for k, v in i.items() if k.endswith("_id")]): i
            for page in pages
            for i in page["Items"]
        }


def bad_code(lost: Lost) -> str:
    """A version that cannot work, and the alias that points to it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr(f"bad-{datetime.now(UTC).timestamp()}.py", "")
    lost.lambdas.update_function_code(FunctionName=FUNCTION, ZipFile=buffer.getvalue())
    made = lost.lambdas.publish_version(FunctionName=FUNCTION)["Version"]
    lost.lambdas.update_alias(FunctionName=FUNCTION, Name="live", FunctionVersion=made)
    return str(made)


def clients_of(world: World, account: str) -> Any:
    """Clients of another account: to the local AWS, twelve digits are its root's key."""
    return lambda service: boto3.client(
        service,
        endpoint_url=world.server.endpoint,
        region_name=REGION,
        aws_access_key_id=account,
        aws_secret_access_key="not checked",
    )


def let_recoveries_into(world: World, account: str) -> None:
    """What docs/recovery-account.yaml deploys in an account that a workload may be rebuilt in."""
    template = (ROOT / "docs" / "recovery-account.yaml").read_text()
    cloudformation = clients_of(world, account)("cloudformation")
    cloudformation.create_stack(
        StackName="selfright-recovery",
        TemplateBody=template,
        Parameters=[{"ParameterKey": "SelfrightAccount", "ParameterValue": ACCOUNT}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    world.until(
        "the account lets recoveries in",
        lambda: (
            cloudformation.describe_stacks(StackName="selfright-recovery")["Stacks"][0]["StackStatus"]
            == "CREATE_COMPLETE"
        ),
    )
