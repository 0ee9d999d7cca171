"""Tell people how a release goes, through every channel of its workload."""

from selfright.domain.release.steps import ReleaseStep, ReleaseTold
from selfright.edge.room import count, room
from selfright.usecases.tell_release import tell_release
from selfright.wiring import house


@room(ReleaseStep, calls=lambda: house().aws.calls)
def handler(step: ReleaseStep) -> ReleaseTold:
    home = house()
    return tell_release(
        step.release_id,
        workloads=home.workloads,
        releases=home.releases,
        channels=home.channels,
        clock=home.clock,
        count=count,
    )
