"""Make the change set of a release, and say whether it may be carried out."""

from selfright.domain.release.steps import ReleaseStep, ReleaseWord
from selfright.edge.room import room
from selfright.usecases.prepare_stack import prepare_stack
from selfright.wiring import house


@room(ReleaseStep, calls=lambda: house().aws.calls)
def handler(step: ReleaseStep) -> ReleaseWord:
    home = house()
    return prepare_stack(
        step.release_id,
        workloads=home.workloads,
        releases=home.releases,
        leases=home.leases,
        stacks=home.stacks,
        templates=home.templates,
        clock=home.clock,
    )
