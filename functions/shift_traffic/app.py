"""Take the whole release set one step further."""

from selfright.domain.release.steps import ReleaseWord, ShiftStep
from selfright.edge.room import room
from selfright.usecases.shift_traffic import shift_traffic
from selfright.wiring import house


@room(ShiftStep, calls=lambda: house().aws.calls)
def handler(step: ShiftStep) -> ReleaseWord:
    home = house()
    return shift_traffic(
        step.release_id,
        step.step,
        workloads=home.workloads,
        releases=home.releases,
        leases=home.leases,
        functions=home.functions,
        versions=home.versions,
        state_machines=home.state_machines,
        clock=home.clock,
    )
