"""Lambda's versions and aliases as AWS tells of them, and the calls that change them."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.adapters.versions import LambdaVersions
from selfright.domain.errors import BusyError, RefusedError
from selfright.domain.release import Build, CodeArtifact
from selfright.domain.serving import AliasState
from tests.fakes.releases import as_lambda_tells_it
from tests.unit.adapters.conftest import Stubbed

NAME = "shop-checkout"
OLD, NEW = "a" * 64, "b" * 64
ARTIFACT = CodeArtifact(bucket="shop-artifacts", key="42.zip", sha256=NEW)


@pytest.fixture
def versions(stubbed: Stubbed) -> LambdaVersions:
    return LambdaVersions(stubbed.aws)


def configuration(sha256: str = OLD, **more: Any) -> dict[str, Any]:
    told = {"FunctionName": NAME, "Version": "$LATEST", "CodeSha256": as_lambda_tells_it(sha256)}
    return {**told, "Role": "arn:role", "LastUpdateStatus": "Successful", **more}


def reads(stubbed: Stubbed, answer: dict[str, Any]) -> None:
    stubbed.answer("lambda", "get_function_configuration", answer, FunctionName=NAME, Qualifier="$LATEST")


def publishes(stubbed: Stubbed, sha256: str, version: str) -> None:
    stubbed.answer(
        "lambda",
        "publish_version",
        {"Version": version},
        FunctionName=NAME,
        CodeSha256=as_lambda_tells_it(sha256),
        Description="release shop-42",
    )


def test_what_a_build_is(stubbed: Stubbed, versions: LambdaVersions):
    reads(
        stubbed,
        configuration(
            DeadLetterConfig={"TargetArn": "arn:queue"},
            Environment={"Variables": {"TABLE": "orders", "LEVEL": "info"}},
            LastUpdateStatus="InProgress",
        ),
    )

    assert versions.build(NAME, "$LATEST") == Build(
        version="$LATEST",
        code_sha256=as_lambda_tells_it(OLD),
        role="arn:role",
        dead_letters="arn:queue",
        settings=frozenset({"TABLE", "LEVEL"}),
        busy=True,
    )


def test_an_update_that_failed_is_not_released(stubbed: Stubbed, versions: LambdaVersions):
    reads(stubbed, configuration(LastUpdateStatus="Failed"))

    with pytest.raises(RefusedError, match="its last update failed"):
        versions.publish(NAME, None, "shop-42")


@pytest.mark.parametrize("status", ["READY", "IN_PROGRESS", "FAILED"])
def test_provisioned_concurrency_is_there_in_whatever_state(
    stubbed: Stubbed, versions: LambdaVersions, status: str
):
    stubbed.answer(
        "lambda",
        "get_provisioned_concurrency_config",
        {"Status": status},
        FunctionName=NAME,
        Qualifier="live",
    )

    assert versions.provisioned(NAME, "live")


def test_no_provisioned_concurrency_is_fine(stubbed: Stubbed, versions: LambdaVersions):
    stubbed.refuse(
        "lambda", "get_provisioned_concurrency_config", "ProvisionedConcurrencyConfigNotFoundException"
    )

    assert not versions.provisioned(NAME, "live")


def test_an_artifact_is_taken_up_and_published_by_its_digest(stubbed: Stubbed, versions: LambdaVersions):
    reads(stubbed, configuration(OLD))
    stubbed.answer(
        "lambda", "update_function_code", {}, FunctionName=NAME, S3Bucket="shop-artifacts", S3Key="42.zip"
    )
    reads(stubbed, configuration(NEW, LastUpdateStatus="InProgress"))
    with pytest.raises(BusyError):
        versions.publish(NAME, ARTIFACT, "shop-42")

    # ... and once Lambda has it, the repeated step only publishes
    reads(stubbed, configuration(NEW))
    publishes(stubbed, NEW, "8")

    assert versions.publish(NAME, ARTIFACT, "shop-42") == "8"


def test_without_an_artifact_the_code_that_is_there_is_published(stubbed: Stubbed, versions: LambdaVersions):
    reads(stubbed, configuration(OLD))
    publishes(stubbed, OLD, "7")

    assert versions.publish(NAME, None, "shop-42") == "7"


def test_another_file_under_the_same_name_is_refused(stubbed: Stubbed, versions: LambdaVersions):
    reads(stubbed, configuration(OLD))
    stubbed.answer("lambda", "update_function_code", {})
    reads(stubbed, configuration("c" * 64))

    with pytest.raises(RefusedError, match=r"s3://shop-artifacts/42.zip is not the file that was asked for"):
        versions.publish(NAME, ARTIFACT, "shop-42")


def test_an_alias_is_split_if_nobody_was_faster(stubbed: Stubbed, versions: LambdaVersions):
    weights = {"8": 0.25}
    stubbed.answer(
        "lambda",
        "update_alias",
        {
            "FunctionVersion": "7",
            "RevisionId": "r2",
            "RoutingConfig": {"AdditionalVersionWeights": weights},
        },
        FunctionName=NAME,
        Name="live",
        FunctionVersion="7",
        RoutingConfig={"AdditionalVersionWeights": weights},
        RevisionId="r1",
    )
    stubbed.refuse("lambda", "update_alias", "PreconditionFailedException")
    stubbed.refuse("lambda", "update_alias", "InvalidParameterValueException")

    made = versions.route(NAME, "live", "7", weights, "r1")

    assert made == AliasState(version="7", weights=weights, revision="r2")
    with pytest.raises(BusyError):
        versions.route(NAME, "live", "7", weights, "r1")
    with pytest.raises(RefusedError):  # such as versions with different roles
        versions.route(NAME, "live", "7", weights, "r2")
