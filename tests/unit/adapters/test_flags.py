"""Feature flags in AppConfig: one is changed, its neighbours stay."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.response import StreamingBody

from selfright.adapters.flags import AppConfigFlagBoard
from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.domain.serving import FlagPlace
from tests.unit.adapters.conftest import Stubbed

PLACE = FlagPlace(application="shop", environment="development", profile="flags", flag="pay_later")


@pytest.fixture
def board(stubbed: Stubbed) -> AppConfigFlagBoard:
    return AppConfigFlagBoard(stubbed.aws, "at-once")


def deployed(stubbed: Stubbed, content: bytes) -> None:
    stubbed.answer(
        "appconfigdata",
        "start_configuration_session",
        {"InitialConfigurationToken": "token"},
        ApplicationIdentifier="shop",
        EnvironmentIdentifier="development",
        ConfigurationProfileIdentifier="flags",
    )
    body = StreamingBody(io.BytesIO(content), len(content))
    stubbed.answer("appconfigdata", "get_latest_configuration", {"Configuration": body})


def named(stubbed: Stubbed) -> None:
    stubbed.answer(
        "appconfig",
        "list_applications",
        {"Items": [{"Id": "x", "Name": "other"}, {"Id": "a", "Name": "shop"}]},
    )
    stubbed.answer(
        "appconfig", "list_environments", {"Items": [{"Id": "e", "Name": "development"}]}, ApplicationId="a"
    )
    stubbed.answer(
        "appconfig",
        "list_configuration_profiles",
        {"Items": [{"Id": "p", "Name": "flags"}]},
        ApplicationId="a",
    )


def written(stubbed: Stubbed, document: dict[str, Any]) -> None:
    stubbed.answer(
        "appconfig",
        "create_hosted_configuration_version",
        {"VersionNumber": 4},
        ApplicationId="a",
        ConfigurationProfileId="p",
        Description="Selfright",
        ContentType="application/json",
        Content=json.dumps(document).encode(),
    )


@pytest.mark.parametrize(
    ("content", "thrown"), [(b'{"pay_later": true}', True), (b'{"pay_later": false}', False), (b"{}", False)]
)
def test_a_flag_is_read_as_deployed(
    stubbed: Stubbed, board: AppConfigFlagBoard, content: bytes, thrown: bool
):
    deployed(stubbed, content)

    assert board.read(PLACE) is thrown


@pytest.mark.parametrize("content", [b"", b"[]", b"pay_later: true"])
def test_what_is_no_document_of_flags_is_not_written_over(
    stubbed: Stubbed, board: AppConfigFlagBoard, content: bytes
):
    deployed(stubbed, content)

    with pytest.raises(RefusedError, match="shop:development:flags:pay_later"):
        board.throw(PLACE, value=True)


def test_a_flag_is_thrown_at_once_and_the_others_stay(stubbed: Stubbed, board: AppConfigFlagBoard):
    deployed(stubbed, b'{"pay_later": false, "gift_wrap": true}')
    named(stubbed)
    written(stubbed, {"pay_later": True, "gift_wrap": True})
    stubbed.answer(
        "appconfig",
        "start_deployment",
        {},
        ApplicationId="a",
        EnvironmentId="e",
        ConfigurationProfileId="p",
        ConfigurationVersion="4",
        DeploymentStrategyId="at-once",
        Description="Selfright",
    )

    board.throw(PLACE, value=True)


def test_another_deployment_under_way_is_waited_for(stubbed: Stubbed, board: AppConfigFlagBoard):
    deployed(stubbed, b"{}")
    named(stubbed)
    written(stubbed, {"pay_later": True})
    stubbed.refuse("appconfig", "start_deployment", "ConflictException")

    with pytest.raises(BusyError):
        board.throw(PLACE, value=True)


@pytest.mark.parametrize("ids", [[], ["a", "b"]])
def test_a_name_that_is_not_one_things_is_not_guessed(
    stubbed: Stubbed, board: AppConfigFlagBoard, ids: list[str]
):
    deployed(stubbed, b"{}")
    stubbed.answer("appconfig", "list_applications", {"Items": [{"Id": i, "Name": "shop"} for i in ids]})

    with pytest.raises(NotFoundError, match=f"{len(ids)} things called shop"):
        board.throw(PLACE, value=True)


def test_a_place_survives_being_written_down():
    assert FlagPlace.parse(str(PLACE)) == PLACE
