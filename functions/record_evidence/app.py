"""Write the verdict and its evidence down for good."""

from selfright.domain.backup.restore_test import id_of
from selfright.domain.backup.steps import RestoreStep, RestoreStepResult
from selfright.edge.room import room
from selfright.usecases.record_evidence import record_evidence
from selfright.wiring import house


@room(RestoreStep, calls=lambda: house().aws.calls)
def handler(step: RestoreStep) -> RestoreStepResult:
    home = house()
    return record_evidence(
        id_of(step.execution),
        step.failure,
        workloads=home.workloads,
        tests=home.restore_tests,
        bucket=home.evidence,
        clock=home.clock,
    )
