"""Put the configurations of a release live, and see that they are."""

from selfright.domain.release.steps import ReleaseStep, ReleaseWord
from selfright.edge.room import room
from selfright.usecases.configure_release import configure_release
from selfright.wiring import house


@room(ReleaseStep, calls=lambda: house().aws.calls)
def handler(step: ReleaseStep) -> ReleaseWord:
    home = house()
    return configure_release(
        step.release_id,
        workloads=home.workloads,
        releases=home.releases,
        leases=home.leases,
        artifacts=home.artifacts,
        configurations=home.configurations,
        alarms=home.alarms,
        clock=home.clock,
    )
