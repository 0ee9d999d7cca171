"""Put every alias of a release back to what it was before."""

from selfright.domain.release.steps import ReleaseWord, RollBackStep
from selfright.edge.room import room
from selfright.usecases.roll_back_release import roll_back_release
from selfright.wiring import house


@room(RollBackStep, calls=lambda: house().aws.calls)
def handler(step: RollBackStep) -> ReleaseWord:
    home = house()
    return roll_back_release(
        step,
        releases=home.releases,
        leases=home.leases,
        functions=home.functions,
        versions=home.versions,
        state_machines=home.state_machines,
        clock=home.clock,
    )
