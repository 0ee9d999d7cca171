"""Tables: what they are, what they are asked for, and how AWS's refusals read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from selfright.adapters.aws import Aws
from selfright.adapters.tables import DynamoDBTables
from selfright.domain.errors import BusyError, NotFoundError, RefusedError, SourceDownError, ThrottledError
from selfright.ports import TableState, Throttles
from tests.unit.adapters.conftest import Stubbed

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
END = START + timedelta(minutes=10)
_names = count(1)


@pytest.fixture
def orders(aws: Aws) -> str:
    """A provisioned table of 10 read and 10 write units."""
    name = f"orders-{next(_names)}"
    aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "customer", "AttributeType": "S"},
        ],
        ProvisionedThroughput={"ReadCapacityUnits": 10, "WriteCapacityUnits": 10},
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-customer",
                "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            }
        ],
    )
    return name


def report(aws: Aws, table: str, metric: str, minute: int, *values: float, **dimensions: str) -> None:
    pairs = [{"Name": k, "Value": v} for k, v in {"TableName": table, **dimensions}.items()]
    aws.client("cloudwatch").put_metric_data(
        Namespace="AWS/DynamoDB",
        MetricData=[
            {
                "MetricName": metric,
                "Dimensions": pairs,
                "Timestamp": START + timedelta(minutes=minute),
                "Value": value,
            }
            for value in values
        ],
    )


def test_a_provisioned_table_tells_its_units_and_indexes(aws: Aws, orders: str):
    assert DynamoDBTables(aws).describe(orders) == TableState(
        name=orders, status="ACTIVE", on_demand=False, read_units=10, write_units=10, indexes=1
    )


def test_a_table_goes_on_demand_and_back(aws: Aws, orders: str):
    tables = DynamoDBTables(aws)

    tables.set_on_demand(orders)
    state = tables.describe(orders)
    assert (state.on_demand, state.read_units, state.write_units) == (True, None, None)

    tables.set_provisioned(orders, 10, 25)
    state = tables.describe(orders)
    assert (state.on_demand, state.read_units, state.write_units) == (False, 10, 25)


def test_a_table_that_is_not_there(aws: Aws):
    with pytest.raises(NotFoundError, match="describing table nowhere"):
        DynamoDBTables(aws).describe("nowhere")


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("LimitExceededException", RefusedError),  # four decreases a day
        ("ValidationException", RefusedError),  # the values are those it has
        ("AccessDeniedException", RefusedError),
        ("ResourceInUseException", BusyError),  # UPDATING
        ("ResourceNotFoundException", NotFoundError),
        ("ThrottlingException", ThrottledError),
        ("InternalServerError", SourceDownError),
    ],
)
def test_what_aws_answers_to_a_change(stubbed: Stubbed, code: str, ours: type[Exception]):
    stubbed.refuse("dynamodb", "update_table", code)

    with pytest.raises(ours) as caught:
        DynamoDBTables(stubbed.aws).set_on_demand("orders")

    assert type(caught.value) is ours


def test_usage_is_the_busiest_minute_in_units_per_second(aws: Aws, orders: str):
    report(aws, orders, "ConsumedWriteCapacityUnits", 1, *[2.0] * 150)  # 300 units: 5 a second
    report(aws, orders, "ConsumedWriteCapacityUnits", 2, *[2.0] * 300)  # 10 a second

    usage = DynamoDBTables(aws).usage(orders, START, END)

    assert usage["write"].consumed_peak == 10.0
    assert usage["write"].demand_peak == 10.0
    assert usage["write"].throttles == Throttles()
    assert (usage["read"].consumed_peak, usage["read"].demand_peak) == (0.0, 0.0)


def test_demand_counts_throttled_requests_as_if_they_had_been_served(aws: Aws, orders: str):
    report(aws, orders, "ConsumedWriteCapacityUnits", 1, *[2.0] * 300)  # two units each
    report(aws, orders, "WriteProvisionedThroughputThrottleEvents", 1, *[1.0] * 120)

    usage = DynamoDBTables(aws).usage(orders, START, END)

    assert usage["write"].consumed_peak == 10.0
    assert usage["write"].demand_peak == (600 + 2 * 120) / 60
    assert usage["write"].throttles.provisioned == 120


def test_a_minute_with_nothing_but_throttles_counts_too(aws: Aws, orders: str):
    report(aws, orders, "ReadProvisionedThroughputThrottleEvents", 3, *[1.0] * 120)

    usage = DynamoDBTables(aws).usage(orders, START, END)

    assert usage["read"].consumed_peak == 0.0
    assert usage["read"].demand_peak == 2.0  # one unit each: nothing was served to learn from


@pytest.mark.parametrize("direction", ["Read", "Write"])
@pytest.mark.parametrize(
    ("metric", "cause"),
    [
        ("ProvisionedThroughputThrottleEvents", "provisioned"),
        ("KeyRangeThroughputThrottleEvents", "key_range"),
        ("MaxOnDemandThroughputThrottleEvents", "on_demand_maximum"),
        ("AccountLimitThrottleEvents", "account_limit"),
    ],
)
def test_every_cause_of_throttling_is_told_apart(
    aws: Aws, orders: str, direction: str, metric: str, cause: str
):
    report(aws, orders, f"{direction}{metric}", 4, 1.0, 1.0)

    usage = DynamoDBTables(aws).usage(orders, START, END)

    low = direction.lower()
    assert usage[low].throttles == Throttles(**{cause: 2.0})
    assert usage["read" if low == "write" else "write"].throttles == Throttles()


def test_the_metrics_of_other_tables_and_times_do_not_count(aws: Aws, orders: str):
    report(aws, "another", "WriteProvisionedThroughputThrottleEvents", 1, 1.0)
    report(aws, orders, "WriteProvisionedThroughputThrottleEvents", -1, 1.0)

    assert DynamoDBTables(aws).usage(orders, START, END)["write"].throttles.provisioned == 0


def test_a_gap_in_the_metrics_is_no_silence(stubbed: Stubbed):
    gap = {"Id": "write_provisioned", "Timestamps": [], "Values": [], "StatusCode": "InternalError"}
    stubbed.answer("cloudwatch", "get_metric_data", {"MetricDataResults": [gap]})

    with pytest.raises(SourceDownError, match="write_provisioned is InternalError"):
        DynamoDBTables(stubbed.aws).usage("orders", START, END)


def test_latency_is_the_mean_over_all_requests(aws: Aws, orders: str):
    report(aws, orders, "SuccessfulRequestLatency", 1, *[10.0] * 3, Operation="GetItem")
    report(aws, orders, "SuccessfulRequestLatency", 2, 50.0, Operation="Query")

    assert DynamoDBTables(aws).latency(orders, START, END) == 20.0


def test_without_requests_there_is_no_latency(aws: Aws, orders: str):
    assert DynamoDBTables(aws).latency(orders, START, END) is None
