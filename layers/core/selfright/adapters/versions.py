"""Lambda versions and aliases, as a release reads and changes them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from selfright.adapters.artifacts import see_that_it_is
from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import BusyError, RefusedError
from selfright.domain.release import Build, CodeArtifact
from selfright.domain.serving import AliasState

LATEST = "$LATEST"


class LambdaVersions:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def build(self, function: str, qualifier: str) -> Build:
        with translated(f"reading {qualifier} of {function}"):
            found = self._lambda.get_function_configuration(FunctionName=function, Qualifier=qualifier)
        return _build(found)

    def provisioned(self, function: str, alias: str) -> bool:
        client = self._lambda
        with translated(f"reading the provisioned concurrency of {function}:{alias}"):
            try:
                client.get_provisioned_concurrency_config(FunctionName=function, Qualifier=alias)
            except client.exceptions.ProvisionedConcurrencyConfigNotFoundException:
                return False
        return True

    def publish(self, function: str, artifact: CodeArtifact | None, release_id: str) -> str:
        latest = self._ready(function)
        if artifact and _in_hex(latest) != artifact.sha256:
            self._take_up(function, artifact)
            latest = self._ready(function)
            see_that_it_is(artifact, _in_hex(latest))
        # Without a change since the last version, Lambda answers that one and makes none:
        # https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
        with translated(f"publishing {function}", changing=True):
            made = self._lambda.publish_version(
                FunctionName=function, CodeSha256=latest.code_sha256, Description=f"release {release_id}"
            )
        return str(made["Version"])

    def route(
        self, function: str, alias: str, version: str, weights: Mapping[str, float], revision: str
    ) -> AliasState:
        with translated(f"changing alias {alias} of {function}", changing=True):
            made = self._lambda.update_alias(
                FunctionName=function,
                Name=alias,
                FunctionVersion=version,
                # Left out, weights would stay as they are.
                RoutingConfig={"AdditionalVersionWeights": dict(weights)},
                RevisionId=revision,
            )
        return AliasState(
            version=made["FunctionVersion"],
            weights=made.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}),
            revision=made["RevisionId"],
        )

    def _take_up(self, function: str, artifact: CodeArtifact) -> None:
        where = {"S3Bucket": artifact.bucket, "S3Key": artifact.key}
        if artifact.object_version:
            where["S3ObjectVersion"] = artifact.object_version
        with translated(f"updating the code of {function}", changing=True):
            self._lambda.update_function_code(FunctionName=function, **where)

    def _ready(self, function: str) -> Build:
        latest = self.build(function, LATEST)
        if latest.busy:
            raise BusyError(f"{function} is being updated")
        return latest

    @property
    def _lambda(self) -> Any:
        return self._aws.client("lambda")


def _build(found: dict[str, Any]) -> Build:
    if found.get("LastUpdateStatus") == "Failed":
        raise RefusedError(f"{found['FunctionName']}: its last update failed")
    return Build(
        version=found["Version"],
        code_sha256=found["CodeSha256"],
        role=found["Role"],
        dead_letters=found.get("DeadLetterConfig", {}).get("TargetArn"),
        settings=frozenset(found.get("Environment", {}).get("Variables", {})),
        busy=found.get("LastUpdateStatus") == "InProgress",
    )


def _in_hex(build: Build) -> str:
    """The digest of its code, which Lambda tells in base64."""
    return base64.b64decode(build.code_sha256).hex()
