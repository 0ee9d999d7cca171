"""A whole release through the real adapters, on moto's Lambda, S3 and DynamoDB: both outcomes, every alias read back.

Only requests and alarms are made up, as moto executes nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

import pytest

from selfright.adapters.aws import Aws
from selfright.adapters.functions import LambdaFunctions
from selfright.adapters.leases import DynamoDBLeases
from selfright.adapters.releases import DynamoDBReleaseLedger
from selfright.adapters.versions import LambdaVersions
from selfright.domain.release import ReleaseStatus, lock_of
from selfright.domain.serving import AliasState, Tally
from tests.fakes.releases import FakeLambda
from tests.unit.usecases.release_world import CART, CHECKOUT, STOCK, ReleaseWorld

TRUST = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
BUCKET = "shop-artifacts"
_numbers = count(1)


def package(text: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), text)
    return made.getvalue()


class Versions(LambdaVersions):
    """moto has no provisioned concurrency: test_versions.py looks after it."""

    def provisioned(self, function: str, alias: str) -> bool:
        del function, alias
        return False


class RealAliases:
    """Aliases as Lambda has them, requests as the fake serves them at those aliases."""

    def __init__(self, aws: Aws, served: FakeLambda) -> None:
        self._real, self._served = LambdaFunctions(aws), served

    def alias(self, function: str, alias: str) -> AliasState:
        return self._real.alias(function, alias)

    def tallies(
        self, function: str, alias: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Tally]:
        return self._served.tallies(function, alias, versions, start, end)

    def durations(self, *_: Any) -> Mapping[str, Mapping[float, float]]:
        return {"1": {}, "2": {}}


class OnMoto(ReleaseWorld):
    def __init__(self, aws: Aws, table: str) -> None:
        super().__init__()
        self.ledger: Any = DynamoDBReleaseLedger(aws, table)
        self.memory_leases: Any = DynamoDBLeases(aws, table)
        self.releases, self.leases = self.ledger, self.memory_leases
        self.functions = RealAliases(aws, self.awslambda)
        self.versions = Versions(aws)

    def pass_time(self, seconds: float) -> None:
        for name, fake in self.awslambda.functions.items():
            fake.alias = self.functions.alias(name, "live")
        super().pass_time(seconds)

    def aliases(self) -> dict[str, tuple[str, dict[str, float]]]:
        found = {name: self.functions.alias(name, "live") for name in (CART, STOCK, CHECKOUT)}
        return {name: (alias.version, dict(alias.weights)) for name, alias in found.items()}


@pytest.fixture
def world(aws: Aws, table: str) -> OnMoto:
    client, s3 = aws.client("lambda"), aws.client("s3")
    role = aws.client("iam").create_role(RoleName=f"r{next(_numbers)}", AssumeRolePolicyDocument=TRUST)
    for name in (CART, STOCK, CHECKOUT):
        if name in {f["FunctionName"] for f in client.list_functions()["Functions"]}:
            client.delete_function(FunctionName=name)
        client.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="app.handler",
            Code={"ZipFile": package("old = True")},
            Environment={"Variables": {"TABLE": "orders"}},
            Publish=True,
        )
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket=BUCKET, Key="new.zip", Body=package("new = True"))
    return OnMoto(aws, table)


def artifacts(text: str = "new = True") -> dict[str, Any]:
    artifact = {
        "bucket": BUCKET,
        "key": "new.zip",
        "sha256": hashlib.sha256(package(text)).hexdigest(),
    }
    return dict.fromkeys(("cart", "stock", "checkout"), artifact)


def locked(world: OnMoto) -> str | None:
    return world.leases.holder(lock_of("shop", "development"), world.clock.now())


def test_a_good_release_is_live(world: OnMoto):
    file = world.deploy(artifacts=artifacts())

    assert file.release.status is ReleaseStatus.COMPLETED, file.release.why
    assert world.aliases() == dict.fromkeys((CART, STOCK, CHECKOUT), ("2", {}))
    assert locked(world) is None


def test_a_bad_one_is_put_back_and_its_versions_stay(world: OnMoto, aws: Aws):
    world.failing = {CHECKOUT: {"2": 0.3}}

    file = world.deploy(artifacts=artifacts())

    assert file.release.status is ReleaseStatus.ROLLED_BACK, file.release.why
    assert world.aliases() == dict.fromkeys((CART, STOCK, CHECKOUT), ("1", {}))
    assert locked(world) is None
    versions = aws.client("lambda").list_versions_by_function(FunctionName=CHECKOUT)["Versions"]
    assert "2" in {version["Version"] for version in versions}


def test_a_file_that_was_exchanged_is_not_released(world: OnMoto):
    file = world.deploy(artifacts=artifacts("something else"))

    assert file.release.status is ReleaseStatus.REFUSED
    assert "is not the file that was asked for" in file.release.why
    assert world.aliases() == dict.fromkeys((CART, STOCK, CHECKOUT), ("1", {}))
