"""A table that somebody made too small."""

from __future__ import annotations

import time
from typing import Any

from sandbox.server import SandboxError, Server
from sandbox.workload import stack_name

STARVED_WRITE_UNITS = 1
_PATIENCE = 30.0  # seconds of the wall for a table to become ACTIVE


def look(server: Server, environment: str) -> dict[str, Any]:
    table = _describe_when_active(server, environment)
    throughput = table["ProvisionedThroughput"]
    return {
        "mode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "read": throughput["ReadCapacityUnits"],
        "write": throughput["WriteCapacityUnits"],
    }


def starve(server: Server, environment: str, before: dict[str, Any]) -> None:
    restore(server, environment, {**before, "mode": "PROVISIONED", "write": STARVED_WRITE_UNITS})


def restore(server: Server, environment: str, wanted: dict[str, Any]) -> None:
    if look(server, environment) == wanted:  # DynamoDB refuses an update that changes nothing
        return
    update: dict[str, Any] = {"BillingMode": wanted["mode"]}
    if wanted["mode"] == "PROVISIONED":
        update["ProvisionedThroughput"] = {
            "ReadCapacityUnits": wanted["read"],
            "WriteCapacityUnits": wanted["write"],
        }
    server.client("dynamodb").update_table(TableName=_results_table(environment), **update)
    _describe_when_active(server, environment)


def _describe_when_active(server: Server, environment: str) -> dict[str, Any]:
    dynamodb = server.client("dynamodb")
    deadline = time.monotonic() + _PATIENCE
    while True:
        table: dict[str, Any] = dynamodb.describe_table(TableName=_results_table(environment))["Table"]
        if table["TableStatus"] == "ACTIVE":
            return table
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{_results_table(environment)} is {table['TableStatus']} for {_PATIENCE:.0f} s"
            )
        time.sleep(0.1)


def _results_table(environment: str) -> str:
    return f"{stack_name(environment)}-analysis-results"
