"""Live items, object versions, settings and recoveries on moto: conditions that hold, versions that come back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from selfright.adapters.aws import Aws
from selfright.adapters.elsewhere import AwsElsewhere
from selfright.adapters.object_versions import S3ObjectVersions
from selfright.adapters.recoveries import DynamoDBRecoveries
from selfright.adapters.settings_board import AwsSettingsBoard
from selfright.adapters.table_items import MOST_ATTRIBUTES, DynamoDBLiveItems
from selfright.domain.errors import ConflictError, RefusedError
from selfright.domain.manifest import Environment
from selfright.domain.recovery.record import Recovery
from selfright.domain.recovery.request import RecoverInput
from selfright.domain.recovery.settings import Setting
from selfright.domain.recovery.template import Account
from tests.unit.adapters.conftest import Stubbed
from tests.unit.recovery.world import NOW, asked

KEY = {"PK": {"S": "o-1"}, "SK": {"S": "x"}}
SEEN = {**KEY, "state": {"S": "lost"}, "tags": {"SS": ["a", "b"]}}
WANTED = {**KEY, "state": {"S": "open"}, "total": {"N": "3"}}


def test_an_item_is_put_back_where_it_is_as_it_was_seen(aws: Aws, table: str):
    items = DynamoDBLiveItems(aws)
    aws.client("dynamodb").put_item(TableName=table, Item=SEEN)
    items.put(table, KEY, WANTED, SEEN)
    assert items.read(table, KEY) == WANTED


@pytest.mark.parametrize(
    "written",
    [{**SEEN, "state": {"S": "paid"}}, {**SEEN, "total": {"N": "9"}}, {**KEY, "tags": {"SS": ["a", "b"]}}],
)
def test_an_item_that_was_written_to_meanwhile_is_not(
    aws: Aws, table: str, written: dict[str, dict[str, object]]
):
    items = DynamoDBLiveItems(aws)
    aws.client("dynamodb").put_item(TableName=table, Item=written)
    with pytest.raises(ConflictError):
        items.put(table, KEY, WANTED, SEEN)
    assert items.read(table, KEY) == written


def test_a_deleted_item_comes_back_only_while_there_is_none(aws: Aws, table: str):
    items = DynamoDBLiveItems(aws)
    items.put(table, KEY, WANTED, None)
    with pytest.raises(ConflictError):
        items.put(table, KEY, SEEN, None)
    with pytest.raises(ConflictError):
        items.remove(table, KEY, SEEN)
    items.remove(table, KEY, WANTED)
    assert items.read(table, KEY) is None


def test_an_item_too_wide_for_a_condition_is_refused(aws: Aws, table: str):
    wide = {**KEY, **{f"a{n}": {"N": "1"} for n in range(MOST_ATTRIBUTES)}}
    with pytest.raises(RefusedError, match="cannot be changed conditionally"):
        DynamoDBLiveItems(aws).put(table, KEY, WANTED, wide)


def test_versions_come_newest_first_and_an_earlier_one_comes_back(aws: Aws):
    s3, objects = aws.client("s3"), S3ObjectVersions(aws)
    place = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket="papers", CreateBucketConfiguration=place)
    with pytest.raises(RefusedError, match="keeps no versions"):
        objects.versions("papers", "in/")
    s3.put_bucket_versioning(Bucket="papers", VersioningConfiguration={"Status": "Enabled"})
    good = s3.put_object(Bucket="papers", Key="in/a", Body=b"good")["VersionId"]
    s3.delete_object(Bucket="papers", Key="in/a")
    found = objects.versions("papers", "in/")
    assert [(v.marker, v.version == good, v.latest) for v in found] == [
        (True, False, True),
        (False, True, False),
    ]
    objects.copy_back("papers", "in/a", good)
    newest, *older = objects.versions("papers", "in/")
    assert [newest.same_content(one) for one in older if one.version == good] == [True]
    assert s3.get_object(Bucket="papers", Key="in/a")["Body"].read() == b"good"


def test_parameters_and_alarms_are_read_as_kept_and_written_back(aws: Aws):
    board = AwsSettingsBoard(aws, "strategy")
    parameter = Setting(kind="parameter", name="/shop/a", value="good")
    assert board.read(parameter) is None
    board.write(parameter)
    assert board.read(parameter) == "good"
    kept = {
        "AlarmName": "shop-errors",
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    alarm = Setting(
        kind="alarm", name="shop-errors", value=json.dumps(kept, sort_keys=True, separators=(",", ":"))
    )
    assert board.read(alarm) is None
    board.write(alarm)
    assert board.read(alarm) == alarm.value


def test_a_secret_is_not_compared(aws: Aws):
    aws.client("ssm").put_parameter(Name="/shop/key", Value="x", Type="SecureString")
    with pytest.raises(RefusedError, match="is a secret now"):
        AwsSettingsBoard(aws, "s").read(Setting(kind="parameter", name="/shop/key", value="y"))


def test_recoveries_are_found_by_id_and_listed_newest_first(aws: Aws, table: str):
    ledger = DynamoDBRecoveries(aws, table)
    made = [
        Recovery(id=f"rc-{n}", execution=f"x:{n}", asked=_asked(), began_at=NOW + timedelta(minutes=n))
        for n in range(3)
    ]
    for one in made:
        ledger.save(one)
    assert ledger.find("rc-1") == made[1]
    assert ledger.find("rc-9") is None
    assert [one.id for one in ledger.newest("shop", Environment.PRODUCTION, 2)] == ["rc-2", "rc-1"]
    assert list(ledger.newest("shop", Environment.STAGING, 2)) == []


def _asked() -> RecoverInput:
    return asked()


def test_a_table_elsewhere_is_filled_and_every_difference_in_it_is_seen(aws: Aws, table: str):
    there = AwsElsewhere(aws, Account("aws", "111122223333", "eu-central-1"), "rc-1")
    items = [{"PK": {"S": f"o-{n}"}, "SK": {"S": "x"}, "tags": {"SS": ["b", "a"]}} for n in range(60)]
    assert there.fill(table, items) == 60
    assert there.fill(table, items) == 60  # again, after it was killed
    assert not there.missing(table, [{**i, "tags": {"SS": ["a", "b"]}} for i in reversed(items)])
    assert there.missing(table, items[1:])
    assert there.missing(table, [*items[1:], {**items[0], "n": {"N": "1"}}])


def test_a_stack_there_that_is_not_ours_is_left_alone(stubbed: Stubbed):
    there = AwsElsewhere(stubbed.aws, Account("aws", "111122223333", "eu-central-1"), "rc-1")
    stack = {"StackName": "shop", "CreationTime": NOW, "StackStatus": "CREATE_COMPLETE"}
    stubbed.refuse("cloudformation", "describe_stacks", "ValidationError", "Stack shop does not exist")
    for tags in ([{"Key": "selfright:recovery", "Value": "rc-1"}], [{"Key": "team", "Value": "blue"}]):
        stubbed.answer(
            "cloudformation", "describe_stacks", {"Stacks": [{**stack, "Tags": tags}]}, StackName="shop"
        )
    assert there.stack_status("shop") is None
    assert there.stack_status("shop") == "CREATE_COMPLETE"
    with pytest.raises(RefusedError, match="not by this recovery"):
        there.stack_status("shop")


def test_a_stack_is_made_with_its_parameters_and_the_recovery_as_its_owner(stubbed: Stubbed):
    there = AwsElsewhere(stubbed.aws, Account("aws", "111122223333", "eu-central-1"), "rc-1")
    stubbed.answer("s3", "create_bucket", {})
    stubbed.answer("s3", "put_object", {})
    stubbed.answer(
        "cloudformation",
        "create_stack",
        {"StackId": "x"},
        StackName="shop",
        TemplateBody="{}",
        Parameters=[{"ParameterKey": "Stage", "ParameterValue": "production"}],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        Tags=[{"Key": "team", "Value": "blue"}, {"Key": "selfright:recovery", "Value": "rc-1"}],
        ClientRequestToken="rc-1-shop",
    )
    there.create_stack("shop", "{}", {"Stage": "production"}, {"team": "blue"})
