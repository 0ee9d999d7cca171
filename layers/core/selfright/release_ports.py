"""What the parts of a release beside functions need from the world, as Protocols; see ports.py.

Every method may raise SourceDownError (ThrottledError, BusyError); others are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from selfright.domain.manifest import Configuration
    from selfright.domain.release import CodeArtifact
    from selfright.domain.release.configuration import ConfigurationPlace, ConfigurationState
    from selfright.domain.serving import AliasState


class Artifacts(Protocol):
    def read(self, artifact: CodeArtifact, largest: int) -> bytes:
        """The file that was asked for, of at most `largest` bytes.

        Raises NotFoundError, and RefusedError where it is larger or its digest is not the one asked for.
        """


class Configurations(Protocol):
    """Configurations of workloads in AppConfig. Every method raises NotFoundError where something of it is gone."""

    def place(self, configuration: Configuration) -> ConfigurationPlace: ...

    def state(self, place: ConfigurationPlace) -> ConfigurationState: ...

    def stage(self, place: ConfigurationPlace, content: bytes, release_id: str) -> str:
        """The version that holds the release's content, made where there is none; nobody gets it yet.

        Raises RefusedError where AppConfig does not take it.
        """

    def start(
        self, place: ConfigurationPlace, version: str, newest: int, strategy: str | None, release_id: str
    ) -> None:
        """Begin to deploy a version by that strategy, or at once.

        Raises BusyError where a deployment is under way or `newest` is not the newest any more, RefusedError where
        AppConfig does not take the version.
        """

    def stop(self, place: ConfigurationPlace, number: int) -> None:
        """Take a deployment back that is under way.

        Raises RefusedError where that cannot be done any more.
        """


class StateMachines(Protocol):
    """Every method raises NotFoundError where state machine, version or alias is gone."""

    def alias(self, machine: str, alias: str) -> AliasState: ...

    def publish(self, machine: str, definition: str, release_id: str) -> str:
        """The version that holds the definition; the same one however often it is asked for.

        Raises RefusedError where Step Functions does not take it.
        """

    def route(
        self, machine: str, alias: str, version: str, weights: Mapping[str, float], revision: str
    ) -> None:
        """Send new executions to a version, and shares of them to another one.

        Raises BusyError where the alias is not at `revision` any more, RefusedError where that cannot be done.
        """
