"""The switch board: an AppConfig freeform profile, read anew each time a gate asks."""

from __future__ import annotations

from pydantic import ValidationError

from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import SourceDownError
from selfright.ports import Switches


class AppConfigSwitchBoard:
    def __init__(self, aws: Aws, application: str, environment: str, profile: str) -> None:
        self._aws = aws
        self._where = {
            "ApplicationIdentifier": application,
            "EnvironmentIdentifier": environment,
            "ConfigurationProfileIdentifier": profile,
        }

    def read(self) -> Switches:
        # A new session each time: a session's second answer is empty where nothing changed, and a token that is
        # kept may not be used again for a while. A switch thrown a second ago must count.
        with translated("reading the switch board"):
            client = self._aws.client("appconfigdata")
            token = client.start_configuration_session(**self._where)["InitialConfigurationToken"]
            body = client.get_latest_configuration(ConfigurationToken=token)["Configuration"].read()
        try:
            return Switches.model_validate_json(body)
        except ValidationError as error:
            raise SourceDownError(f"the switch board is not valid: {error.errors()[0]['msg']}") from error

    def throw(self, switches: Switches, strategy: str, because: str) -> None:
        """Deploy a whole new board. `strategy`: one that is at once and bakes for no time; `because` goes on record.

        Raises BusyError while another change of the board is under way.
        """
        where = {
            "ApplicationId": self._where["ApplicationIdentifier"],
            "ConfigurationProfileId": self._where["ConfigurationProfileIdentifier"],
        }
        with translated("throwing a switch", changing=True):
            client = self._aws.client("appconfig")
            version = client.create_hosted_configuration_version(
                **where,
                Description=because,
                ContentType="application/json",
                Content=switches.model_dump_json().encode(),
            )["VersionNumber"]
            client.start_deployment(
                **where,
                EnvironmentId=self._where["EnvironmentIdentifier"],
                ConfigurationVersion=str(version),
                DeploymentStrategyId=strategy,
                Description=because,
            )
