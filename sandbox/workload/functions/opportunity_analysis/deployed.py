"""What is deployed of the application's configurations in AppConfig."""

from __future__ import annotations

import os

from .clients import client


def latest(profile: str) -> bytes:
    """The document of a profile, empty before the first. Raises BotoCoreError, ClientError."""
    appconfig = client("appconfigdata")
    session = appconfig.start_configuration_session(
        ApplicationIdentifier=os.environ["FLAGS_APPLICATION"],
        EnvironmentIdentifier=os.environ["ENVIRONMENT"],
        ConfigurationProfileIdentifier=profile,
    )
    answer = appconfig.get_latest_configuration(ConfigurationToken=session["InitialConfigurationToken"])
    content: bytes = answer["Configuration"].read()
    return content
