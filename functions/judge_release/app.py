"""Look at the step that is in force, and decide how to go on."""

from selfright.domain.release.steps import ReleaseStep, ReleaseWord
from selfright.edge.room import room
from selfright.usecases.judge_release import judge_release
from selfright.wiring import house


@room(ReleaseStep, calls=lambda: house().aws.calls)
def handler(step: ReleaseStep) -> ReleaseWord:
    home = house()
    return judge_release(
        step.release_id,
        workloads=home.workloads,
        releases=home.releases,
        leases=home.leases,
        functions=home.functions,
        configurations=home.configurations,
        alarms=home.alarms,
        state_machines=home.state_machines,
        clock=home.clock,
    )
