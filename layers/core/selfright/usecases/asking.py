"""Ask the workload whether it works, as its manifest says: one question after the other, so that none slows another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never, cast

from selfright.domain.errors import NotFoundError, RefusedError
from selfright.domain.manifest import Http, Invoke, LambdaFunction, Workload
from selfright.domain.release.probing import Answered, of_http, of_invoke
from selfright.ports import Probes


def ask_health(workload: Workload, probes: Probes) -> tuple[Answered, ...]:
    """Every question of every tier, by the alias that users are sent to.

    Raises SourceDownError where one could not be asked.
    """
    return tuple(ask(name, probe, workload, probes) for name, probe in workload.health.probes.items())


def ask(
    name: str,
    probe: Invoke | Http,
    workload: Workload,
    probes: Probes,
    versions: Mapping[str, str] | None = None,
) -> Answered:
    """One question. `versions` by function: the version itself is asked, not what the alias has.

    Raises SourceDownError where it could not be asked; what is not there, or will not be asked, is not passed.
    """
    try:
        match probe:
            case Invoke():
                # That it names a function is the manifest's own rule.
                function = cast("LambdaFunction", workload.resource(probe.function))
                qualifier = (versions or {}).get(probe.function, function.alias)
                heard = probes.invoke(function.name, qualifier, probe.event, probe.within_seconds)
                return of_invoke(name, probe, heard)
            case Http():
                return of_http(name, probe, probes.fetch(probe.url, probe.within_seconds))
            case _:
                assert_never(probe)
    except (NotFoundError, RefusedError) as error:
        return Answered(name=name, seconds=0, why=f"could not be asked: {error}")
