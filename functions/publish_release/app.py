"""Publish the versions that are to go live."""

from selfright.domain.release.steps import ReleaseStep, ReleaseWord
from selfright.edge.room import room
from selfright.usecases.publish_release import publish_release
from selfright.wiring import house


@room(ReleaseStep, calls=lambda: house().aws.calls)
def handler(step: ReleaseStep) -> ReleaseWord:
    home = house()
    return publish_release(
        step.release_id,
        workloads=home.workloads,
        releases=home.releases,
        leases=home.leases,
        versions=home.versions,
        artifacts=home.artifacts,
        state_machines=home.state_machines,
        clock=home.clock,
    )
