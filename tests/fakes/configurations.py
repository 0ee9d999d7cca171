"""AppConfig's hosted store with one environment, and artifacts in S3, in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.domain.manifest import Configuration
from selfright.domain.release import CodeArtifact
from selfright.domain.release.configuration import (
    ConfigurationPlace,
    ConfigurationState,
    ProfileKind,
    Rollout,
)


class MemoryArtifacts:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> dict[str, str]:
        """How a request names the file."""
        self.files[key] = content
        return {"bucket": "shop-artifacts", "key": key, "sha256": hashlib.sha256(content).hexdigest()}

    def read(self, artifact: CodeArtifact, largest: int) -> bytes:
        if artifact.key not in self.files:
            raise NotFoundError(f"s3://{artifact.bucket}/{artifact.key} does not exist")
        content = self.files[artifact.key]
        if len(content) > largest:
            raise RefusedError(f"{artifact.key} has {len(content)} bytes, more than {largest}")
        if hashlib.sha256(content).hexdigest() != artifact.sha256:
            raise RefusedError(f"{artifact.key} is not the file that was asked for")
        return content


@dataclass
class Deployed:
    """A deployment. `looks`: how often it is seen under way before it is over, and then how it ended."""

    name: str
    version: str
    strategy: str | None = None
    looks: int = 0
    ends: str = "COMPLETE"

    @property
    def state(self) -> str:
        return "DEPLOYING" if self.looks else self.ends


class FakeAppConfig:
    """`looks`, `ends`: of the deployments to come, until somebody stops them."""

    def __init__(self, *profiles: str, kind: ProfileKind = ProfileKind.FREEFORM) -> None:
        self.kind = kind
        self.looks, self.ends = 0, "COMPLETE"
        self.refusing: str | None = None
        self.versions: dict[str, list[tuple[str, bytes]]] = {name: [("first", b"{}")] for name in profiles}
        self.deployments = [Deployed(name, "1") for name in profiles]

    def place(self, configuration: Configuration) -> ConfigurationPlace:
        if configuration.profile not in self.versions:
            raise NotFoundError(f"AppConfig has 0 things called {configuration.profile}")
        name = configuration.profile
        return ConfigurationPlace(
            application="a", environment="e", profile=f"p-{name}", name=name, kind=self.kind
        )

    def state(self, place: ConfigurationPlace) -> ConfigurationState:
        rollout = None
        for number, one in enumerate(self.deployments, 1):
            if one.looks:
                one.looks -= 1
                rollout = Rollout(number=number, configuration=one.name, version=one.version)
        ours = [d for d in self.deployments if d.name == place.name]
        last = {d.version: d.state for d in ours}
        done = [d.version for d in ours if d.state == "COMPLETE"]
        return ConfigurationState(
            live=done[-1] if done else None,
            under_way=rollout,
            newest=len(self.deployments),
            taken_back=frozenset(v for v, state in last.items() if state == "ROLLED_BACK"),
        )

    def stage(self, place: ConfigurationPlace, content: bytes, release_id: str) -> str:
        versions = self.versions[place.name]
        for number, (label, _) in enumerate(versions, 1):
            if label == release_id:
                return str(number)
        versions.append((release_id, content))
        return str(len(versions))

    def start(
        self, place: ConfigurationPlace, version: str, newest: int, strategy: str | None, release_id: str
    ) -> None:
        del release_id
        if newest != len(self.deployments) or any(d.looks for d in self.deployments):
            raise BusyError("a deployment is under way, or came between")
        if self.refusing == version:
            raise RefusedError("BadRequestException: the configuration is not valid")
        self.deployments.append(Deployed(place.name, version, strategy, self.looks, self.ends))

    def stop(self, place: ConfigurationPlace, number: int) -> None:
        del place
        one = self.deployments[number - 1]
        one.looks, one.ends = 0, "ROLLED_BACK"
        self.looks, self.ends = 0, "COMPLETE"

    # -- for tests

    def live(self, name: str) -> str:
        return [d.version for d in self.deployments if d.name == name and d.state == "COMPLETE"][-1]

    def somebody_deploys(self, name: str, version: str, looks: int = 0) -> None:
        self.deployments.append(Deployed(name, version, None, looks))
