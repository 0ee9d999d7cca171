"""Put the configurations of a release back to what was live before it."""

from selfright.domain.release.steps import ReleaseStep, ReleaseWord
from selfright.edge.room import room
from selfright.usecases.restore_configuration import restore_configuration
from selfright.wiring import house


@room(ReleaseStep, calls=lambda: house().aws.calls)
def handler(step: ReleaseStep) -> ReleaseWord:
    home = house()
    return restore_configuration(
        step.release_id,
        releases=home.releases,
        leases=home.leases,
        configurations=home.configurations,
        clock=home.clock,
    )
