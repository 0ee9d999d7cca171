"""Configurations of a release in AppConfig: what is live, made once, deployed at the number that was read."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from botocore.response import StreamingBody

from selfright.adapters.artifacts import S3Artifacts
from selfright.adapters.configurations import AppConfigConfigurations
from selfright.domain.errors import BusyError, NotFoundError, RefusedError, SourceDownError, ThrottledError
from selfright.domain.manifest import Configuration
from selfright.domain.release import CodeArtifact
from selfright.domain.release.configuration import ConfigurationPlace, ProfileKind
from tests.unit.adapters.conftest import Stubbed

PLACE = ConfigurationPlace(application="a", environment="e", profile="p", name="limits")
WHERE = {"ApplicationId": "a", "EnvironmentId": "e"}


@pytest.fixture
def board(stubbed: Stubbed) -> AppConfigConfigurations:
    return AppConfigConfigurations(stubbed.aws, "at-once")


def deployment(number: int, version: str, state: str = "COMPLETE", name: str = "limits") -> dict[str, Any]:
    return {
        "DeploymentNumber": number,
        "ConfigurationName": name,
        "ConfigurationVersion": version,
        "State": state,
    }


def listed(stubbed: Stubbed, *deployments: dict[str, Any]) -> None:
    stubbed.answer("appconfig", "list_deployments", {"Items": list(deployments)}, **WHERE)


def test_it_is_found_by_its_names(stubbed: Stubbed, board: AppConfigConfigurations):
    stubbed.answer("appconfig", "list_applications", {"Items": [{"Id": "a", "Name": "shop"}]})
    stubbed.answer(
        "appconfig", "list_environments", {"Items": [{"Id": "e", "Name": "development"}]}, ApplicationId="a"
    )
    stubbed.answer(
        "appconfig",
        "list_configuration_profiles",
        {"Items": [{"Id": "p", "Name": "limits", "Type": "AWS.AppConfig.FeatureFlags"}]},
        ApplicationId="a",
    )

    found = board.place(Configuration(application="shop", environment="development", profile="limits"))

    assert found == PLACE.model_copy(update={"kind": ProfileKind.FLAGS})


def test_a_name_that_is_not_one_things_is_not_guessed(stubbed: Stubbed, board: AppConfigConfigurations):
    stubbed.answer("appconfig", "list_applications", {"Items": []})

    with pytest.raises(NotFoundError, match="0 things called shop"):
        board.place(Configuration(application="shop", environment="development", profile="limits"))


def test_live_is_the_newest_complete_deployment_of_this_profile(
    stubbed: Stubbed, board: AppConfigConfigurations
):
    listed(
        stubbed,
        deployment(9, "1", name="flags"),
        deployment(8, "5", "ROLLED_BACK"),
        deployment(7, "4"),
        deployment(6, "3"),
    )

    state = board.state(PLACE)

    assert (state.live, state.newest, state.under_way) == ("4", 9, None)
    assert state.taken_back == {"5"}


def test_a_version_that_was_taken_back_once_and_is_live_now_is_live(
    stubbed: Stubbed, board: AppConfigConfigurations
):
    listed(stubbed, deployment(1, "5", "REVERTED"), deployment(2, "5"))  # in whichever order they are told

    state = board.state(PLACE)

    assert (state.live, state.taken_back) == ("5", frozenset())


@pytest.mark.parametrize("state", ["VALIDATING", "DEPLOYING", "BAKING", "ROLLING_BACK"])
def test_a_deployment_of_any_profile_that_is_not_over_is_under_way(
    stubbed: Stubbed, board: AppConfigConfigurations, state: str
):
    listed(stubbed, deployment(9, "2", state, "flags"), deployment(8, "4"))

    found = board.state(PLACE)

    assert found.live == "4"
    assert found.under_way is not None
    assert (found.under_way.number, found.under_way.configuration) == (9, "flags")


def test_nothing_deployed_yet_is_no_version(stubbed: Stubbed, board: AppConfigConfigurations):
    listed(stubbed)

    state = board.state(PLACE)

    assert (state.live, state.newest) == (None, 0)


def known(stubbed: Stubbed, *items: dict[str, Any]) -> None:
    stubbed.answer(
        "appconfig",
        "list_hosted_configuration_versions",
        {"Items": list(items)},
        ApplicationId="a",
        ConfigurationProfileId="p",
        VersionLabel="shop-42.",
    )


def test_a_version_is_made_with_the_releases_label(stubbed: Stubbed, board: AppConfigConfigurations):
    known(stubbed)
    stubbed.answer(
        "appconfig",
        "create_hosted_configuration_version",
        {"VersionNumber": 6},
        ApplicationId="a",
        ConfigurationProfileId="p",
        Description="release shop-42",
        VersionLabel="shop-42.",
        ContentType="application/json",
        Content=b"{}",
    )

    assert board.stage(PLACE, b"{}", "shop-42") == "6"


def test_and_only_once(stubbed: Stubbed, board: AppConfigConfigurations):
    known(stubbed, {"VersionNumber": 6, "VersionLabel": "shop-42."}, {"VersionNumber": 9})

    assert board.stage(PLACE, b"{}", "shop-42") == "6"


@pytest.mark.parametrize("strategy", [None, "slowly"])
def test_it_is_deployed_at_the_number_that_was_read(
    stubbed: Stubbed, board: AppConfigConfigurations, strategy: str | None
):
    stubbed.answer(
        "appconfig",
        "start_deployment",
        {},
        **WHERE,
        ConfigurationProfileId="p",
        ConfigurationVersion="6",
        DeploymentStrategyId=strategy or "at-once",
        Description="release shop-42",
        LatestDeploymentNumber=9,
    )

    board.start(PLACE, "6", 9, strategy, "shop-42")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ConflictException", BusyError),  # another deployment is under way, or came between
        ("BadRequestException", RefusedError),  # a validator does not take the content
        ("ThrottlingException", ThrottledError),
        ("InternalServerException", SourceDownError),
        ("ResourceNotFoundException", NotFoundError),
    ],
)
def test_a_refusal_to_deploy_is_told_apart(
    stubbed: Stubbed, board: AppConfigConfigurations, code: str, error: type[Exception]
):
    stubbed.refuse("appconfig", "start_deployment", code)

    with pytest.raises(error, match="deploying version 6 of limits"):
        board.start(PLACE, "6", 9, None, "shop-42")


def test_one_under_way_is_stopped_also_while_it_bakes(stubbed: Stubbed, board: AppConfigConfigurations):
    stubbed.answer("appconfig", "stop_deployment", {}, **WHERE, DeploymentNumber=9, AllowRevert=True)

    board.stop(PLACE, 9)


# -- artifacts

CONTENT = b'{"most": 5}'
ARTIFACT = CodeArtifact(
    bucket="shop-artifacts", key="limits.json", sha256=hashlib.sha256(CONTENT).hexdigest()
)


def stored(stubbed: Stubbed, content: bytes, **expected: str) -> None:
    body = StreamingBody(io.BytesIO(content), len(content))
    stubbed.answer(
        "s3",
        "get_object",
        {"Body": body, "ContentLength": len(content)},
        Bucket="shop-artifacts",
        Key="limits.json",
        **expected,
    )


@pytest.mark.parametrize("version", [None, "v1"])
def test_a_file_is_read_as_the_version_that_was_asked_for(stubbed: Stubbed, version: str | None):
    stored(stubbed, CONTENT, **({"VersionId": version} if version else {}))

    artifact = ARTIFACT.model_copy(update={"object_version": version})
    assert S3Artifacts(stubbed.aws).read(artifact, 100) == CONTENT


@pytest.mark.parametrize(
    ("content", "largest", "why"),
    [(b'{"most": 6}', 100, "its sha256 differs"), (CONTENT, 10, "has 11 bytes, more than 10")],
)
def test_another_file_than_was_asked_for_is_refused(stubbed: Stubbed, content: bytes, largest: int, why: str):
    stored(stubbed, content)

    with pytest.raises(RefusedError, match=why):
        S3Artifacts(stubbed.aws).read(ARTIFACT, largest)


def test_a_file_that_is_not_there_is_not_found(stubbed: Stubbed):
    stubbed.refuse("s3", "get_object", "NoSuchKey")

    with pytest.raises(NotFoundError, match=r"reading s3://shop-artifacts/limits\.json"):
        S3Artifacts(stubbed.aws).read(ARTIFACT, 100)
