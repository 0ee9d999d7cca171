"""Put the stack of a release back to what it was before."""

from selfright.domain.release.steps import ReleaseStep, ReleaseWord
from selfright.edge.room import room
from selfright.usecases.restore_stack import restore_stack
from selfright.wiring import house


@room(ReleaseStep, calls=lambda: house().aws.calls)
def handler(step: ReleaseStep) -> ReleaseWord:
    home = house()
    return restore_stack(
        step.release_id,
        releases=home.releases,
        leases=home.leases,
        stacks=home.stacks,
        templates=home.templates,
        clock=home.clock,
    )
