"""Choose the next remedy from what was found."""

from selfright.domain.steps import Step, StepResult
from selfright.edge.room import room
from selfright.usecases.choose_remedy import choose_remedy
from selfright.wiring import house


@room(Step, calls=lambda: house().aws.calls)
def handler(step: Step) -> StepResult:
    home = house()
    return choose_remedy(
        step.incident_id,
        step.attempt,
        workloads=home.workloads,
        runbooks=home.runbooks,
        store=home.store,
        clock=home.clock,
    )
