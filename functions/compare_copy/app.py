"""Have the parts of both exports read, or say what the comparison came to."""

from selfright.domain.backup.restore_test import id_of
from selfright.domain.backup.steps import CompareStep, RestoreStepResult
from selfright.edge.room import room
from selfright.usecases.compare_copy import compare_copy
from selfright.wiring import house


@room(CompareStep, calls=lambda: house().aws.calls)
def handler(step: CompareStep) -> RestoreStepResult:
    home = house()
    return compare_copy(
        id_of(step.execution),
        step.read,
        exports=home.exports,
        results=home.part_results,
        tests=home.restore_tests,
    )
