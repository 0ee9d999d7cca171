"""Ask the workload whether it works, at one point of a release."""

from selfright.domain.release.steps import ProbeStep, ReleaseWord
from selfright.edge.room import room
from selfright.usecases.test_release import test_release
from selfright.wiring import house


@room(ProbeStep, calls=lambda: house().aws.calls)
def handler(step: ProbeStep) -> ReleaseWord:
    home = house()
    return test_release(
        step.release_id,
        step.phase,
        workloads=home.workloads,
        releases=home.releases,
        leases=home.leases,
        probes=home.probes,
        clock=home.clock,
    )
