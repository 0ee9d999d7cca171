"""Feature flags of workloads: freeform JSON documents in AppConfig, read as deployed and changed by a deployment."""

from __future__ import annotations

import json
from typing import Any

from selfright.adapters.appconfig_names import called
from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import RefusedError
from selfright.domain.serving import FlagPlace


class AppConfigFlagBoard:
    """`strategy`: id of a deployment strategy that is at once and bakes for no time.

    An environment takes one deployment at a time: with AppConfig.AllAtOnce, which bakes for ten minutes, a flag could
    not be taken back before that.
    """

    def __init__(self, aws: Aws, strategy: str) -> None:
        self._aws = aws
        self._strategy = strategy

    def read(self, place: FlagPlace) -> bool:
        return self._document(place).get(place.flag, False) is True

    def throw(self, place: FlagPlace, value: bool) -> None:
        document = {**self._document(place), place.flag: value}
        self.deploy(place, json.dumps(document))

    def text(self, place: FlagPlace) -> str:
        """The whole document that is deployed there; empty where none is."""
        # A new session each time, as for the switch board: a session's second answer may be empty.
        with translated(f"reading flag {place}"):
            client = self._aws.client("appconfigdata")
            token = client.start_configuration_session(
                ApplicationIdentifier=place.application,
                EnvironmentIdentifier=place.environment,
                ConfigurationProfileIdentifier=place.profile,
            )["InitialConfigurationToken"]
            body: bytes = client.get_latest_configuration(ConfigurationToken=token)["Configuration"].read()
        return body.decode()

    def deploy(self, place: FlagPlace, text: str, content_type: str = "application/json") -> None:
        """Have a whole document deployed there, at once."""
        with translated(f"throwing flag {place}", changing=True):
            appconfig = self._aws.client("appconfig")
            application = called(self._aws, "list_applications", place.application)["Id"]
            inside = {"ApplicationId": application}
            environment = called(self._aws, "list_environments", place.environment, **inside)["Id"]
            profile = called(self._aws, "list_configuration_profiles", place.profile, **inside)["Id"]
            version = appconfig.create_hosted_configuration_version(
                ApplicationId=application,
                ConfigurationProfileId=profile,
                Description="Selfright",
                ContentType=content_type,
                Content=text.encode(),
            )["VersionNumber"]
            appconfig.start_deployment(
                ApplicationId=application,
                EnvironmentId=environment,
                ConfigurationProfileId=profile,
                ConfigurationVersion=str(version),
                DeploymentStrategyId=self._strategy,
                Description="Selfright",
            )

    def _document(self, place: FlagPlace) -> dict[str, Any]:
        try:
            document = json.loads(self.text(place))
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise RefusedError(f"flag {place}: what is deployed there is not a JSON object of flags")
        return document
