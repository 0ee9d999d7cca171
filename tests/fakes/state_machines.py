"""State machines with their versions and one alias each, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.domain.serving import AliasState


class FakeStateMachines:
    def __init__(self, *machines: str) -> None:
        self._revisions = count(1)
        self.versions: dict[str, list[str]] = {name: ["{}"] for name in machines}
        self.aliases = {name: AliasState(version="1", revision="r0") for name in machines}
        self.changes: list[tuple[str, str, dict[str, float]]] = []

    def alias(self, machine: str, alias: str) -> AliasState:
        assert alias == "live"
        if machine not in self.aliases:
            raise NotFoundError(f"alias {alias} of {machine} does not exist")
        return self.aliases[machine]

    def publish(self, machine: str, definition: str, release_id: str) -> str:
        del release_id
        if "nowhere" in definition:
            raise RefusedError("InvalidDefinition: MISSING_TRANSITION_TARGET")
        versions = self.versions[machine]
        if versions[-1] != definition:
            versions.append(definition)
        return str(len(versions))

    def route(
        self, machine: str, alias: str, version: str, weights: Mapping[str, float], revision: str
    ) -> None:
        if self.alias(machine, alias).revision != revision:
            raise BusyError("the alias was changed meanwhile")
        self.aliases[machine] = AliasState(
            version=version, weights=dict(weights), revision=f"r{next(self._revisions)}"
        )
        self.changes.append((machine, version, dict(weights)))
