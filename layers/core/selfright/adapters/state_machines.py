"""Step Functions' versions and aliases, as a release reads and changes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import BusyError
from selfright.domain.serving import AliasState

ALL = 100  # percent


class StepFunctionsStateMachines:
    """`prefix`: what comes before a state machine's name in its ARN."""

    def __init__(self, aws: Aws, prefix: str) -> None:
        self._aws, self._prefix = aws, prefix

    def alias(self, machine: str, alias: str) -> AliasState:
        with translated(f"reading alias {alias} of {machine}"):
            found = self._client.describe_state_machine_alias(stateMachineAliasArn=self._arn(machine, alias))
        # Step Functions knows no first among its two versions. The older one is live, the newer one is to come.
        shares = {_version(r["stateMachineVersionArn"]): r["weight"] for r in found["routingConfiguration"]}
        older, *newer = sorted((version for version, share in shares.items() if share), key=int)
        return AliasState(
            version=older,
            weights={version: shares[version] / ALL for version in newer},
            revision=str(found["updateDate"]),
        )

    def publish(self, machine: str, definition: str, release_id: str) -> str:
        arn = self._arn(machine)
        with translated(f"reading {machine}"):
            found = self._client.describe_state_machine(stateMachineArn=arn)
        revision = found.get("revisionId", "INITIAL")
        if json.loads(found["definition"]) != json.loads(definition):
            with translated(f"updating {machine}", changing=True):
                self._client.update_state_machine(stateMachineArn=arn, definition=definition)
            with translated(f"reading {machine}"):
                revision = self._client.describe_state_machine(stateMachineArn=arn)["revisionId"]
        # Of one revision there is one version, however often it is published:
        # https://docs.aws.amazon.com/step-functions/latest/apireference/API_PublishStateMachineVersion.html
        with translated(f"publishing {machine}", changing=True):
            made = self._client.publish_state_machine_version(
                stateMachineArn=arn, revisionId=revision, description=f"release {release_id}"
            )
        return _version(made["stateMachineVersionArn"])

    def route(
        self, machine: str, alias: str, version: str, weights: Mapping[str, float], revision: str
    ) -> None:
        # UpdateStateMachineAlias takes no revision: what comes between this look and the call is not seen.
        if self.alias(machine, alias).revision != revision:
            raise BusyError(f"alias {alias} of {machine} was changed meanwhile")
        shares = {other: round(share * ALL) for other, share in weights.items()}
        shares = {version: ALL - sum(shares.values()), **shares}
        with translated(f"changing alias {alias} of {machine}", changing=True):
            self._client.update_state_machine_alias(
                stateMachineAliasArn=self._arn(machine, alias),
                routingConfiguration=[
                    {"stateMachineVersionArn": self._arn(machine, other), "weight": share}
                    for other, share in shares.items()
                ],
            )

    def _arn(self, machine: str, qualifier: str | None = None) -> str:
        return f"{self._prefix}{machine}" + (f":{qualifier}" if qualifier else "")

    @property
    def _client(self) -> Any:
        return self._aws.client("stepfunctions")


def _version(arn: str) -> str:
    return arn.rpartition(":")[2]
