"""Provisioned capacity is enforced, with DynamoDB's errors, reasons and metrics."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sandbox.server import Server
from tests.sandbox.emulator.conftest import PARTITION_WCU
from tests.sandbox.emulator.lambda_functions import eventually
from tests.sandbox.emulator.tables import (
    KB,
    active,
    arn,
    create_on_demand_table,
    create_table,
    drain,
    dynamodb,
    item,
    metric,
    refused,
)


def test_a_write_beyond_the_capacity_is_refused_with_its_reason(aws: Server):
    # Given a table of 1 write unit whose capacity is spent
    table, client = create_table(aws), dynamodb(aws)
    drain(aws, table)
    # When it is written to
    answer = refused(lambda: client.put_item(TableName=table, Item=item("a")))
    # Then DynamoDB says what was short
    assert answer["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert (
        "level of configured provisioned throughput for the table was exceeded" in answer["Error"]["Message"]
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["ThrottlingReasons"] == [
        {"reason": "TableWriteProvisionedThroughputExceeded", "resource": arn(table)}
    ]
    # And nothing was written, and reads go on
    assert "Item" not in client.get_item(TableName=table, Key={"pk": {"S": "a"}})


def test_throttles_are_counted_and_only_where_there_were_any(aws: Server):
    table, calm, client = create_table(aws), create_table(aws), dynamodb(aws)
    drain(aws, table)
    for _ in range(3):
        refused(lambda: client.put_item(TableName=table, Item=item("a")))
    client.put_item(TableName=calm, Item=item("a"))
    assert metric(aws, "WriteThrottleEvents", table) == 3.0
    assert metric(aws, "WriteProvisionedThroughputThrottleEvents", table) == 3.0
    assert metric(aws, "ThrottledRequests", table, Operation="PutItem") == 3.0
    assert metric(aws, "WriteKeyRangeThroughputThrottleEvents", table) is None
    assert metric(aws, "WriteThrottleEvents", calm) is None


def test_capacity_comes_back_with_sandbox_time(fast_aws: Server):
    # Given a debt of 120 s, which is one second of wall time here
    table, client = create_table(fast_aws), dynamodb(fast_aws)
    drain(fast_aws, table, seconds=120)
    refused(lambda: client.put_item(TableName=table, Item=item("a")))
    # Then it is paid soon
    began = fast_aws.now()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            client.put_item(TableName=table, Item=item("a"))
            break
        except client.exceptions.ProvisionedThroughputExceededException:
            time.sleep(0.02)
    assert 100 < fast_aws.now() - began < 200


def test_units_are_counted_by_size(aws: Server):
    table, client = create_table(aws, write=100), dynamodb(aws)
    client.put_item(TableName=table, Item=item("a", kilobytes=2))  # with its keys a little more: 3 units
    client.put_item(TableName=table, Item=item("b"))  # 1 unit
    client.put_item(TableName=table, Item=item("a"))  # replaces 3 KB: 3 units
    client.delete_item(TableName=table, Key={"pk": {"S": "nowhere"}})  # 1 unit
    assert metric(aws, "ConsumedWriteCapacityUnits", table) == 8.0
    assert metric(aws, "ConsumedWriteCapacityUnits", table, "SampleCount") == 4.0


def test_reads_cost_by_4_kb_and_half_when_eventually_consistent(aws: Server):
    table, client = create_table(aws, write=100), dynamodb(aws)
    client.put_item(TableName=table, Item=item("a", kilobytes=5))
    key = {"pk": {"S": "a"}}
    client.get_item(TableName=table, Key=key)  # 2 x 0.5
    client.get_item(TableName=table, Key=key, ConsistentRead=True)  # 2
    client.scan(TableName=table, ConsistentRead=True)  # 2
    client.get_item(TableName=table, Key={"pk": {"S": "nowhere"}})  # 0.5
    assert metric(aws, "ConsumedReadCapacityUnits", table) == 5.5
    assert metric(aws, "SuccessfulRequestLatency", table, "SampleCount", Operation="GetItem") == 3.0


def test_an_update_is_charged_for_what_it_made_of_the_item(aws: Server):
    table, client = create_table(aws, write=100), dynamodb(aws)
    client.update_item(
        TableName=table,
        Key={"pk": {"S": "a"}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": KB * 3}},
    )
    assert metric(aws, "ConsumedWriteCapacityUnits", table) == 4.0


def test_a_failed_condition_costs_and_an_invalid_request_does_not(aws: Server):
    table, client = create_table(aws, write=2), dynamodb(aws)
    answer = refused(
        lambda: client.put_item(TableName=table, Item=item("a"), ConditionExpression="attribute_exists(pk)")
    )
    assert answer["Error"]["Code"] == "ConditionalCheckFailedException"
    for _ in range(5):
        answer = refused(
            lambda: client.put_item(TableName=table, Item=item("a"), ConditionExpression="nonsense(")
        )
        assert answer["Error"]["Code"] == "ValidationException"
    assert metric(aws, "ConsumedWriteCapacityUnits", table) == 1.0


def test_reads_are_throttled_apart_from_writes(aws: Server):
    table, client = create_table(aws, read=1, write=1000), dynamodb(aws)
    client.put_item(TableName=table, Item=item("a", kilobytes=300))
    client.scan(TableName=table)  # a debt of 37 units
    answer = refused(lambda: client.get_item(TableName=table, Key={"pk": {"S": "a"}}))
    assert answer["ThrottlingReasons"][0]["reason"] == "TableReadProvisionedThroughputExceeded"
    assert metric(aws, "ReadThrottleEvents", table) == 1.0
    client.put_item(TableName=table, Item=item("b"))


def test_a_short_index_throttles_the_writes_that_touch_it(aws: Server):
    table, client = create_table(aws, write=1000, index=1), dynamodb(aws)
    client.update_item(
        TableName=table,
        Key={"pk": {"S": "a"}},
        UpdateExpression="SET kind = :kind, body = :body",
        ExpressionAttributeValues={":kind": {"S": "k"}, ":body": {"S": KB * 200}},
    )
    answer = refused(lambda: client.put_item(TableName=table, Item=item("b", kind="k")))
    assert answer["ThrottlingReasons"] == [
        {
            "reason": "IndexWriteProvisionedThroughputExceeded",
            "resource": f"{arn(table)}/index/by-kind",
        }
    ]
    assert "global secondary indexes" in answer["Error"]["Message"]
    assert metric(aws, "WriteThrottleEvents", table, GlobalSecondaryIndexName="by-kind") == 1.0
    assert metric(aws, "WriteThrottleEvents", table) is None
    client.put_item(TableName=table, Item=item("c"))  # without the index's key: not in the index


def test_a_batch_hands_back_what_the_capacity_did_not_reach(aws: Server):
    # Given room for one more item, as one second's worth is there and no burst
    table, client = create_table(aws, write=3), dynamodb(aws)
    requests = [{"PutRequest": {"Item": item(key, kilobytes=1)}} for key in ("a", "b", "c")]
    # When three items of 2 units come
    answer = client.batch_write_item(RequestItems={table: requests})
    # Then one is written, and two come back
    left = answer["UnprocessedItems"][table]
    assert [each["PutRequest"]["Item"]["pk"]["S"] for each in left] == ["b", "c"]
    assert metric(aws, "WriteThrottleEvents", table) == 2.0
    assert metric(aws, "ThrottledRequests", table, Operation="BatchWriteItem") is None
    keys = [{"pk": {"S": key}} for key in ("a", "b")]
    found = client.batch_get_item(RequestItems={table: {"Keys": keys}})
    assert [each["pk"]["S"] for each in found["Responses"][table]] == ["a"]
    assert found["UnprocessedKeys"] == {}


def test_a_batch_of_which_nothing_can_be_done_is_refused(aws: Server):
    table, client = create_table(aws), dynamodb(aws)
    drain(aws, table)
    requests = [{"PutRequest": {"Item": item(key)}} for key in ("a", "b")]
    answer = refused(lambda: client.batch_write_item(RequestItems={table: requests}))
    assert answer["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert metric(aws, "ThrottledRequests", table, Operation="BatchWriteItem") == 1.0


def test_a_batch_read_hands_back_keys(aws: Server):
    table, client = create_table(aws, read=3, write=1000), dynamodb(aws)
    for key in ("a", "b"):
        client.put_item(TableName=table, Item=item(key, kilobytes=15))  # 4 units when read consistently
    keys = [{"pk": {"S": key}} for key in ("nowhere", "a", "b")]
    answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    assert answer["UnprocessedKeys"][table]["Keys"] == keys[1:]
    assert answer["UnprocessedKeys"][table]["ConsistentRead"] is True


def test_a_transaction_costs_double_and_is_cancelled_as_a_whole(aws: Server):
    table, client = create_table(aws, write=4), dynamodb(aws)

    def puts(*keys: str) -> list[dict[str, object]]:
        return [{"Put": {"TableName": table, "Item": item(key)}} for key in keys]

    client.transact_write_items(TransactItems=puts("a"))
    assert metric(aws, "ConsumedWriteCapacityUnits", table) == 2.0
    drain(aws, table)
    answer = refused(lambda: client.transact_write_items(TransactItems=puts("b", "c")))
    assert answer["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in answer["CancellationReasons"]] == [
        "ProvisionedThroughputExceeded",
        "None",
    ]
    assert "Item" not in client.get_item(TableName=table, Key={"pk": {"S": "c"}})


@pytest.mark.parametrize("on_demand", [False, True])
def test_a_hot_key_is_throttled_whatever_the_table_has(fast_aws: Server, on_demand: bool):
    # Given a table with capacity to spare, and a key that gets more than one partition serves
    table = create_on_demand_table(fast_aws) if on_demand else create_table(fast_aws, write=100_000)
    client = dynamodb(fast_aws)
    client.update_item(
        TableName=table,
        Key={"pk": {"S": "hot"}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": KB * 390}},
    )
    assert PARTITION_WCU < 390
    # Then that key is refused, with the reason that more capacity does not help, and others are not
    answer = refused(lambda: client.put_item(TableName=table, Item=item("hot")))
    names = ("ThrottlingException", "throttlingReasons")
    code, reasons = names if on_demand else ("ProvisionedThroughputExceededException", "ThrottlingReasons")
    assert answer["Error"]["Code"] == code
    assert answer[reasons] == [{"reason": "TableWriteKeyRangeThroughputExceeded", "resource": arn(table)}]
    client.put_item(TableName=table, Item=item("cold"))
    assert metric(fast_aws, "WriteKeyRangeThroughputThrottleEvents", table) == 1.0
    assert metric(fast_aws, "WriteProvisionedThroughputThrottleEvents", table) is None


def test_the_owners_own_maximum_holds_on_demand(aws: Server):
    maximum = {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 1}
    table, client = create_on_demand_table(aws, OnDemandThroughput=maximum), dynamodb(aws)
    drain(aws, table)
    answer = refused(lambda: client.put_item(TableName=table, Item=item("a")))
    assert answer["Error"]["Code"] == "ThrottlingException"
    assert answer["throttlingReasons"] == [
        {"reason": "TableWriteMaxOnDemandThroughputExceeded", "resource": arn(table)}
    ]
    assert metric(aws, "WriteMaxOnDemandThroughputThrottleEvents", table) == 1.0
    client.scan(TableName=table)


def test_more_capacity_ends_the_throttling(aws: Server):
    # Given a table deep in debt
    table, client = create_table(aws), dynamodb(aws)
    drain(aws, table)
    client.update_table(
        TableName=table, ProvisionedThroughput={"ReadCapacityUnits": 100, "WriteCapacityUnits": 1000}
    )
    active(aws, table)
    # Then a thousand units a second soon pay it
    assert eventually(lambda: written(client, table), bool)


def test_a_table_created_anew_has_no_debts(aws: Server):
    table, client = create_table(aws), dynamodb(aws)
    drain(aws, table)
    assert not written(client, table)
    client.delete_table(TableName=table)
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    assert written(client, table)


def written(client: Any, table: str) -> bool:
    try:
        client.put_item(TableName=table, Item=item("a"))
    except client.exceptions.ProvisionedThroughputExceededException:
        return False
    return True


def test_what_is_provisioned_is_published_every_minute(fast_aws: Server):
    table = create_table(fast_aws, read=7, write=9, index=3)
    eventually(lambda: metric(fast_aws, "ProvisionedWriteCapacityUnits", table, "Maximum"), bool)
    assert metric(fast_aws, "ProvisionedWriteCapacityUnits", table, "Maximum") == 9.0
    assert metric(fast_aws, "ProvisionedReadCapacityUnits", table, "Maximum") == 7.0
    index = {"GlobalSecondaryIndexName": "by-kind"}
    assert metric(fast_aws, "ProvisionedWriteCapacityUnits", table, "Maximum", **index) == 3.0
