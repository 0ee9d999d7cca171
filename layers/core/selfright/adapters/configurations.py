"""Configurations in AppConfig's hosted store, as a release reads and deploys them."""

from __future__ import annotations

from typing import Any

from selfright.adapters.appconfig_names import called
from selfright.adapters.aws import Aws, translated
from selfright.domain.manifest import Configuration
from selfright.domain.release.configuration import (
    ConfigurationPlace,
    ConfigurationState,
    ProfileKind,
    Rollout,
)

UNDER_WAY = {"VALIDATING", "DEPLOYING", "BAKING", "ROLLING_BACK"}
TAKEN_BACK = {"ROLLED_BACK", "REVERTED"}


class AppConfigConfigurations:
    """`at_once`: id of a deployment strategy that is at once and bakes for no time; ways back take no other."""

    def __init__(self, aws: Aws, at_once: str) -> None:
        self._aws, self._at_once = aws, at_once

    def place(self, configuration: Configuration) -> ConfigurationPlace:
        names = f"{configuration.application}:{configuration.environment}:{configuration.profile}"
        with translated(f"looking for configuration {names}"):
            application = called(self._aws, "list_applications", configuration.application)["Id"]
            inside = {"ApplicationId": application}
            environment = called(self._aws, "list_environments", configuration.environment, **inside)
            profile = called(self._aws, "list_configuration_profiles", configuration.profile, **inside)
        return ConfigurationPlace(
            application=application,
            environment=environment["Id"],
            profile=profile["Id"],
            name=profile["Name"],
            kind=ProfileKind(profile.get("Type", ProfileKind.FREEFORM)),
        )

    def state(self, place: ConfigurationPlace) -> ConfigurationState:
        with translated(f"reading what is deployed of {place.name}"):
            pages = (
                self._client.get_paginator("list_deployments")
                .paginate(ApplicationId=place.application, EnvironmentId=place.environment)
                .build_full_result()
            )
        newest_first = sorted(pages["Items"], key=lambda d: -d["DeploymentNumber"])
        ours = [d for d in newest_first if d["ConfigurationName"] == place.name]
        newest_of = {d["ConfigurationVersion"]: d["State"] for d in reversed(ours)}
        rollout = next((d for d in newest_first if d["State"] in UNDER_WAY), None)
        return ConfigurationState(
            live=next((d["ConfigurationVersion"] for d in ours if d["State"] == "COMPLETE"), None),
            under_way=_rollout(rollout) if rollout else None,
            newest=newest_first[0]["DeploymentNumber"] if newest_first else 0,
            taken_back=frozenset(v for v, state in newest_of.items() if state in TAKEN_BACK),
        )

    def stage(self, place: ConfigurationPlace, content: bytes, release_id: str) -> str:
        where = {"ApplicationId": place.application, "ConfigurationProfileId": place.profile}
        label = _label(release_id)
        with translated(f"looking for the version of {release_id}"):
            pages = self._client.get_paginator("list_hosted_configuration_versions")
            found = pages.paginate(**where, VersionLabel=label).build_full_result()["Items"]
        known = [item["VersionNumber"] for item in found if item.get("VersionLabel") == label]
        if known:
            return str(max(known))  # before this was repeated
        with translated(f"making a version of {place.name}", changing=True):
            made = self._client.create_hosted_configuration_version(
                **where,
                Description=f"release {release_id}",
                VersionLabel=label,
                ContentType="application/json",
                Content=content,
            )
        return str(made["VersionNumber"])

    def start(
        self, place: ConfigurationPlace, version: str, newest: int, strategy: str | None, release_id: str
    ) -> None:
        with translated(f"deploying version {version} of {place.name}", changing=True):
            self._client.start_deployment(
                ApplicationId=place.application,
                EnvironmentId=place.environment,
                ConfigurationProfileId=place.profile,
                ConfigurationVersion=version,
                DeploymentStrategyId=strategy or self._at_once,
                Description=f"release {release_id}",
                # Whoever was there first, in either direction, turns a late call away.
                LatestDeploymentNumber=newest,
            )

    def stop(self, place: ConfigurationPlace, number: int) -> None:
        with translated(f"stopping deployment {number} of {place.name}", changing=True):
            self._client.stop_deployment(
                ApplicationId=place.application,
                EnvironmentId=place.environment,
                DeploymentNumber=number,
                # Also while it bakes: https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/API_StopDeployment.html
                AllowRevert=True,
            )

    @property
    def _client(self) -> Any:
        return self._aws.client("appconfig")


def _rollout(found: dict[str, Any]) -> Rollout:
    return Rollout(
        number=found["DeploymentNumber"],
        configuration=found["ConfigurationName"],
        version=found["ConfigurationVersion"],
    )


def _label(release_id: str) -> str:
    """Unique in its profile, 64 characters at most, and not all of them digits."""
    return f"{release_id}."
