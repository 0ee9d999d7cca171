"""Carry out the change set of a release, and follow it."""

from selfright.domain.release.steps import ReleaseStep, ReleaseWord
from selfright.edge.room import room
from selfright.usecases.change_stack import change_stack
from selfright.wiring import house


@room(ReleaseStep, calls=lambda: house().aws.calls)
def handler(step: ReleaseStep) -> ReleaseWord:
    home = house()
    return change_stack(
        step.release_id,
        releases=home.releases,
        leases=home.leases,
        stacks=home.stacks,
        clock=home.clock,
    )
