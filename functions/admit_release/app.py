"""Let a release begin, or refuse it: lock, gates, pre-flight, snapshot."""

from selfright.domain.release.steps import ReleaseStep, ReleaseWord
from selfright.edge.room import room
from selfright.usecases.admit_release import admit_release
from selfright.wiring import house


@room(ReleaseStep, calls=lambda: house().aws.calls)
def handler(step: ReleaseStep) -> ReleaseWord:
    home = house()
    return admit_release(
        step.release_id,
        workloads=home.workloads,
        releases=home.releases,
        leases=home.leases,
        functions=home.functions,
        versions=home.versions,
        artifacts=home.artifacts,
        configurations=home.configurations,
        backups=home.backups,
        alarms=home.alarms,
        switches=home.switches,
        state_machines=home.state_machines,
        probes=home.probes,
        clock=home.clock,
    )
