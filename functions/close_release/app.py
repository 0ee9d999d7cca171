"""End a release: its outcome goes on record, the workload is free for the next one."""

from selfright.domain.release.steps import CloseRelease, ReleaseClosed
from selfright.edge.release_metrics import measure_release
from selfright.edge.room import room
from selfright.usecases.close_release import close_release
from selfright.wiring import house


@room(CloseRelease, calls=lambda: house().aws.calls)
def handler(close: CloseRelease) -> ReleaseClosed:
    home = house()
    return close_release(
        close.release_id,
        close.failure,
        releases=home.releases,
        leases=home.leases,
        functions=home.functions,
        measure=measure_release,
        configurations=home.configurations,
        state_machines=home.state_machines,
        clock=home.clock,
    )
