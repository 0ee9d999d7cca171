"""The aliases of a release set, whatever they belong to: read and shifted alike."""

from __future__ import annotations

from collections.abc import Mapping

from selfright.domain.release import Aliased, FunctionRelease, WorkflowRelease
from selfright.domain.serving import AliasState
from selfright.ports import Functions, Versions
from selfright.release_ports import StateMachines


def read_alias(one: Aliased, functions: Functions, machines: StateMachines) -> AliasState:
    """Raises NotFoundError where it is gone."""
    match one:
        case FunctionRelease():
            return functions.alias(one.function, one.alias)
        case WorkflowRelease():
            return machines.alias(one.machine, one.alias)
    raise TypeError(f"{type(one).__name__} has no alias")


def route_alias(
    one: Aliased,
    place: tuple[str, Mapping[str, float]],
    alias: AliasState,
    *,
    versions: Versions,
    machines: StateMachines,
) -> None:
    """Send its requests to a version, and shares of them to another one.

    Raises BusyError where it is not as `alias` says any more, RefusedError where AWS will not do it.
    """
    version, weights = place
    match one:
        case FunctionRelease():
            versions.route(one.function, one.alias, version, weights, alias.revision)
        case WorkflowRelease():
            machines.route(one.machine, one.alias, version, weights, alias.revision)
