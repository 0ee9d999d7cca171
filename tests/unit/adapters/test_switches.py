"""The switch board: read anew each time, and anything but a valid answer is a source that is down."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.response import StreamingBody

from selfright.adapters.switches import AppConfigSwitchBoard
from selfright.domain.errors import BusyError, NotFoundError, SourceDownError
from selfright.domain.incident import Attempt
from selfright.domain.manifest import Autonomy
from selfright.edge.settings import Settings
from selfright.ports import Switches
from selfright.usecases.gate_facts import gate_facts
from tests.unit.adapters.conftest import Stubbed
from tests.unit.template import resources
from tests.unit.usecases.world import World

WHERE = {
    "ApplicationIdentifier": "app",
    "EnvironmentIdentifier": "env",
    "ConfigurationProfileIdentifier": "profile",
}


def board(stubbed: Stubbed) -> AppConfigSwitchBoard:
    return AppConfigSwitchBoard(stubbed.aws, "app", "env", "profile")


def configured(stubbed: Stubbed, text: str, session: str = "session") -> None:
    body = StreamingBody(io.BytesIO(text.encode()), len(text.encode()))
    stubbed.answer(
        "appconfigdata", "start_configuration_session", {"InitialConfigurationToken": session}, **WHERE
    )
    stubbed.answer(
        "appconfigdata", "get_latest_configuration", {"Configuration": body}, ConfigurationToken=session
    )


def test_the_switches_are_read_in_a_session_of_their_own_each_time(stubbed: Stubbed):
    """A session's second answer is empty where nothing changed: that must not read as off."""
    configured(stubbed, '{"kill_switch": false, "autonomy": {"database-performance": "suggest"}}', "first")
    configured(stubbed, '{"kill_switch": true}', "second")

    assert board(stubbed).read() == Switches(
        kill_switch=False, autonomy={"database-performance": Autonomy.SUGGEST}
    )
    configuration = board(stubbed)
    assert configuration.read().kill_switch is True


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "not json",
        '{"kill_switch": "maybe"}',
        '{"kill_switch": false, "typo": 1}',
        '{"kill_switch": false, "autonomy": {"x": "boundless"}}',
    ],
)
def test_what_is_not_a_valid_switch_board_is_never_taken_for_go(stubbed: Stubbed, text: str):
    configured(stubbed, text)

    with pytest.raises(SourceDownError, match="switch board"):
        board(stubbed).read()


def test_a_switch_board_that_cannot_be_reached_is_down(stubbed: Stubbed):
    stubbed.refuse("appconfigdata", "start_configuration_session", "InternalServerException")

    with pytest.raises(SourceDownError, match="reading the switch board"):
        board(stubbed).read()


def test_a_switch_board_that_was_never_deployed_stops_the_gates(stubbed: Stubbed):
    stubbed.refuse("appconfigdata", "start_configuration_session", "ResourceNotFoundException")
    with pytest.raises(NotFoundError):
        board(stubbed).read()

    stubbed.refuse("appconfigdata", "start_configuration_session", "ResourceNotFoundException")
    world = World()
    facts = gate_facts(
        world.case(world.receive()),
        world.workload,
        Attempt(number=1),
        alarms=world.alarms,
        switches=board(stubbed),
        leases=world.leases,
        history=world.history,
        releases=world.releases,
        functions=world.functions,
        clock=world.clock,
    )

    assert not isinstance(facts.kill_switch, bool)
    assert "ResourceNotFoundException" in facts.kill_switch.error


@pytest.mark.parametrize("paused", ["true", "false"])
def test_what_the_template_deploys_first_is_a_valid_switch_board(stubbed: Stubbed, paused: str):
    version: dict[str, Any] = resources("AWS::AppConfig::HostedConfigurationVersion")["SwitchVersion"]
    configured(stubbed, version["Content"]["Fn::Sub"].replace("${StartPaused}", paused))

    assert board(stubbed).read() == Switches(kill_switch=json.loads(paused))


def test_the_templates_schema_allows_what_we_can_read():
    profile: dict[str, Any] = resources("AWS::AppConfig::ConfigurationProfile")["SwitchProfile"]
    schema = json.loads(profile["Validators"][0]["Content"])

    assert set(schema["properties"]) == set(Switches.model_fields)
    assert set(schema["properties"]["autonomy"]["additionalProperties"]["enum"]) == set(Autonomy)
    assert schema["additionalProperties"] is False
    assert {f"switch_{name}" for name in ("application", "environment", "profile")} <= set(
        Settings.model_fields
    )


def test_a_thrown_board_is_deployed_whole_with_its_reason(stubbed: Stubbed):
    wanted = Switches(kill_switch=True, autonomy={"database-performance": Autonomy.SUGGEST})
    where = {"ApplicationId": "app", "ConfigurationProfileId": "profile"}
    stubbed.answer(
        "appconfig",
        "create_hosted_configuration_version",
        {"VersionNumber": 7},
        **where,
        Description="too many alarms",
        ContentType="application/json",
        Content=b'{"kill_switch":true,"autonomy":{"database-performance":"suggest"}}',
    )
    stubbed.answer(
        "appconfig",
        "start_deployment",
        {},
        **where,
        EnvironmentId="env",
        ConfigurationVersion="7",
        DeploymentStrategyId="at-once",
        Description="too many alarms",
    )

    board(stubbed).throw(wanted, "at-once", "too many alarms")


def test_two_people_at_the_switch_board_do_not_both_win(stubbed: Stubbed):
    stubbed.answer("appconfig", "create_hosted_configuration_version", {"VersionNumber": 7})
    stubbed.refuse("appconfig", "start_deployment", "ConflictException", "Deployment number 3 is in progress")

    with pytest.raises(BusyError, match=r"throwing a switch.*in progress"):
        board(stubbed).throw(Switches(kill_switch=True), "at-once", "because")
