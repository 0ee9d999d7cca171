"""Another account or region, as the role `selfright-recovery` there lets us in."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.adapters.settings_board import AwsSettingsBoard
from selfright.backup_ports import Item
from selfright.domain.errors import BusyError, RefusedError
from selfright.domain.recovery.items import fingerprint
from selfright.domain.recovery.template import Account, Code
from selfright.restoring_ports import SettingsBoard

ROLE = "selfright-recovery"
STRATEGY = "selfright-recovery-at-once"
TAG = "selfright:recovery"
A_BATCH = 25  # BatchWriteItem
TRIES = 20  # of a batch of which DynamoDB leaves something: beyond that the table is too small for it


def aws_elsewhere(aws: Aws, where: Account, recovery: str) -> Aws:
    """Raises RefusedError where the role does not let us in."""
    role = f"arn:{where.partition}:iam::{where.account}:role/{ROLE}"
    with translated(f"becoming {role}", changing=True):
        given = aws.client("sts").assume_role(RoleArn=role, RoleSessionName=recovery)["Credentials"]
    return Aws((given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]), where.region)


class AwsElsewhere:
    def __init__(self, aws: Aws, where: Account, recovery: str) -> None:
        self._aws, self.where, self._recovery = aws, where, recovery
        self._bucket = f"{ROLE}-{where.account}-{where.region}"

    @cached_property
    def board(self) -> SettingsBoard:
        return AwsSettingsBoard(self._aws, self._strategy())

    def stage(self, name: str, body: bytes) -> Code:
        s3 = self._aws.client("s3")
        with translated(f"staging {name}", changing=True):
            with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
                region = {} if self.where.region == "us-east-1" else {"LocationConstraint": self.where.region}
                s3.create_bucket(
                    Bucket=self._bucket, **({"CreateBucketConfiguration": region} if region else {})
                )
            s3.put_object(Bucket=self._bucket, Key=name, Body=body)
        return Code(self._bucket, name)

    def stack_status(self, stack: str) -> str | None:
        client = self._aws.client("cloudformation")
        with translated(f"reading stack {stack} there"):
            try:
                (found,) = client.describe_stacks(StackName=stack)["Stacks"]
            except client.exceptions.ClientError as error:
                if (
                    error.response["Error"]["Code"] == "ValidationError"
                ):  # it has no other word for "not there"
                    return None
                raise
        owner = {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}.get(TAG)
        if owner != self._recovery:
            raise RefusedError(f"there is a stack {stack} there already, and not by this recovery")
        return str(found["StackStatus"])

    def create_stack(
        self, stack: str, template: str, parameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        code = self.stage(
            f"{self._recovery}/{stack}.json", template.encode()
        )  # a body may have 51,200 bytes only
        suffix = "amazonaws.com.cn" if self.where.partition == "aws-cn" else "amazonaws.com"
        url = f"https://s3.{self.where.region}.{suffix}/{code.bucket}/{code.key}"  # as the AWS CLI spells it
        with translated(f"creating stack {stack} there", changing=True):
            self._aws.client("cloudformation").create_stack(
                StackName=stack,
                **self._template(url, template),
                Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
                Tags=[{"Key": k, "Value": v} for k, v in {**tags, TAG: self._recovery}.items()],
                ClientRequestToken=f"{self._recovery}-{stack}"[:128],
            )

    @staticmethod
    def _template(url: str, body: str) -> dict[str, str]:
        short = 51_200  # bytes
        return {"TemplateBody": body} if len(body.encode()) <= short else {"TemplateURL": url}

    def fill(self, table: str, items: Iterable[Item]) -> int:
        client, rest, count = self._aws.client("dynamodb"), iter(items), 0
        while batch := list(islice(rest, A_BATCH)):
            count += len(batch)
            left: dict[str, Any] = {table: [{"PutRequest": {"Item": item}} for item in batch]}
            for _ in range(TRIES):
                with translated(f"filling table {table} there", changing=True):
                    left = client.batch_write_item(RequestItems=left).get("UnprocessedItems", {})
                if not left:
                    break
            else:
                raise BusyError(f"table {table} there takes no more for now")
        return count

    def missing(self, table: str, items: Iterable[Item]) -> bool:
        found = _sum(self._scanned(table))
        return found != _sum(items)

    def code_sha256(self, function: str, alias: str) -> str:
        with translated(f"reading {function} there"):
            client = self._aws.client("lambda")
            return str(
                client.get_function_configuration(FunctionName=function, Qualifier=alias)["CodeSha256"]
            )

    def alarms(self, names: Collection[str]) -> set[str]:
        found: set[str] = set()
        ordered = sorted(names)
        for start in range(0, len(ordered), 100):  # DescribeAlarms takes so many names
            with translated("reading alarms there"):
                answer = self._aws.client("cloudwatch").describe_alarms(
                    AlarmNames=ordered[start : start + 100]
                )
            found |= {alarm["AlarmName"] for alarm in answer["MetricAlarms"]}
        return found

    def _scanned(self, table: str) -> Iterable[Item]:
        with translated(f"reading table {table} there"):
            pages = (
                self._aws.client("dynamodb")
                .get_paginator("scan")
                .paginate(TableName=table, ConsistentRead=True)
            )
            for page in pages:
                yield from page["Items"]

    def _strategy(self) -> str:
        """An AppConfig deployment strategy that is at once; made where it is not there yet."""
        client = self._aws.client("appconfig")
        with translated("reading deployment strategies there", changing=True):
            pages = client.get_paginator("list_deployment_strategies").paginate()
            for each in (each for page in pages for each in page["Items"]):
                if each["Name"] == STRATEGY:
                    return str(each["Id"])
            made = client.create_deployment_strategy(
                Name=STRATEGY,
                DeploymentDurationInMinutes=0,
                GrowthFactor=100.0,
                FinalBakeTimeInMinutes=0,
                ReplicateTo="NONE",
            )
        return str(made["Id"])


def _sum(items: Iterable[Item]) -> tuple[int, int]:
    """How many, and a sum that does not depend on their order."""
    count = total = 0
    for item in items:
        count += 1
        total += int(fingerprint(item), 16)
    return count, total % 2**128
