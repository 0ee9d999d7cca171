"""Take weights off aliases that no release left there, so that the next release can begin.

CodeDeploy, or a person, may have left them; requests then go on to two versions for ever. Every alias keeps the
version that it points to.
"""

from __future__ import annotations

from datetime import timedelta

from selfright.domain.manifest import Workload
from selfright.domain.release import lock_of
from selfright.ports import Clock, Functions, Leases, Versions
from selfright.release_ports import StateMachines
from selfright.usecases.admit_release import machines, resources

HELD_FOR = timedelta(minutes=5)


def unstick_aliases(
    workload: Workload,
    actor: str,
    *,
    functions: Functions,
    versions: Versions,
    state_machines: StateMachines,
    leases: Leases,
    clock: Clock,
) -> dict[str, str]:
    """The version that each alias between versions is at now, by logical name.

    Raises ConflictError where a release is under way, BusyError where an alias was changed this very moment.
    """
    now, place, owner = clock.now(), lock_of(workload.workload, workload.environment), f"unstick-{actor}"
    leases.acquire(place, owner, now + HELD_FOR, now)
    try:
        done = {}
        for key, resource in resources(workload).items():
            alias = functions.alias(resource.name, resource.alias)
            if alias.weights:
                versions.route(resource.name, resource.alias, alias.version, {}, alias.revision)
                done[key] = alias.version
        for key, machine in machines(workload, workload.deployment.workflows).items():
            alias = state_machines.alias(machine.name, machine.alias)
            if alias.weights:
                state_machines.route(machine.name, machine.alias, alias.version, {}, alias.revision)
                done[key] = alias.version
        return done
    finally:
        leases.release(place, owner)
