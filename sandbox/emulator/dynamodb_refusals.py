"""The errors DynamoDB answers with where capacity was short, and the throttle metrics that go with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import dynamodb

from sandbox.emulator import dynamodb_metrics
from sandbox.emulator.dynamodb_demand import Table
from sandbox.emulator.dynamodb_limits import Refusal
from sandbox.emulator.wrapping import original

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[dict[str, Any]], Answer]

OK = 200

TABLE_EXCEEDED = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)
_INDEX_EXCEEDED = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the table was "
    "exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes "
    "with the UpdateTable API"
)
_MAX_ON_DEMAND = "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
_ON_DEMAND = (
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table "
    "or index so please try again shortly. If exceptions persist, check if you have a hot key: "
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
)


def find_table(name: Any) -> Table | None:
    """The table of the caller's account and region that `name` (or an ARN) names."""
    if not isinstance(name, str):
        return None
    found: Table | None = original(dynamodb, "_tables").get(original(dynamodb, "_normalize_table_name")(name))
    return found


def error(code: str, message: str, extra: dict[str, Any] | None = None) -> Answer:
    answer: Answer = error_response_json(code, message, 400, extra)
    return answer


def refused(operation: str, refusals: list[Refusal]) -> Answer:
    """Count the refusals in the metrics and give the error that AWS gives.

    ProvisionedThroughputExceededException for provisioned tables, ThrottlingException for those on demand.
    """
    count(refusals)
    first = refusals[0]
    dynamodb_metrics.request_throttled(first.charge.table, operation)
    reasons = [{"reason": refusal.reason, "resource": refusal.charge.arn} for refusal in refusals]
    if first.on_demand:
        message = _MAX_ON_DEMAND if first.cause == "MaxOnDemandThroughput" else _ON_DEMAND
        return error("ThrottlingException", message, {"throttlingReasons": reasons})
    message = _INDEX_EXCEEDED if first.charge.index else TABLE_EXCEEDED
    return error("ProvisionedThroughputExceededException", message, {"ThrottlingReasons": reasons})


def count(refusals: list[Refusal]) -> None:
    for refusal in refusals:
        charge = refusal.charge
        dynamodb_metrics.throttled(charge.table, charge.index, charge.kind, refusal.cause)
