"""Which deployment a command speaks to: a stack in your AWS account, or the sandbox."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from selfright.adapters.aws import Aws, translated
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.domain.errors import NotFoundError

ROOT = Path(__file__).resolve().parent.parent

InSandbox = Annotated[bool, typer.Option("--sandbox", help="Ask the running sandbox instead of AWS.")]
StackName = Annotated[str, typer.Option("--stack", help="CloudFormation stack of Selfright.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def store(in_sandbox: bool, stack: str) -> DynamoDBIncidentStore:
    """The ledger of a deployment.

    Raises NotFoundError where there is no such sandbox or stack.
    """
    if in_sandbox:
        use_sandbox()
    aws = Aws()
    (table,) = stack_outputs(aws, stack, "LedgerTable")
    return DynamoDBIncidentStore(aws, table)


def use_sandbox() -> None:
    """Point this process at the running sandbox.

    Raises NotFoundError where none runs.
    """
    from sandbox import lifecycle

    found = lifecycle.status()
    if found.state != "running" or found.server is None:
        raise NotFoundError("no sandbox runs; start one with `selfright sandbox up`")
    os.environ.update(found.server.environment())


def stack_outputs(aws: Aws, stack: str, *keys: str) -> list[str]:
    """These outputs of a stack, in this order.

    Raises NotFoundError where the stack or an output does not exist.
    """
    client = aws.client("cloudformation")
    with translated(f"reading stack {stack}"):
        try:
            (found,) = client.describe_stacks(StackName=stack)["Stacks"]
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                raise NotFoundError(f"there is no stack {stack} in this account and region") from error
            raise
    outputs = {output["OutputKey"]: str(output["OutputValue"]) for output in found.get("Outputs", ())}
    for key in keys:
        if key not in outputs:
            raise NotFoundError(f"stack {stack} has no output {key}")
    return [outputs[key] for key in keys]
