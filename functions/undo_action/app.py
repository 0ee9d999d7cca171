"""Put the before-values back."""

from selfright.actions import ACTIONS
from selfright.domain.steps import Step, StepResult
from selfright.edge.room import room
from selfright.usecases.undo_action import undo_action
from selfright.wiring import house


@room(Step, calls=lambda: house().aws.calls)
def handler(step: Step) -> StepResult:
    home = house()
    return undo_action(
        step.incident_id,
        step.attempt,
        workloads=home.workloads,
        actions=ACTIONS,
        instruments=home,
        store=home.store,
        leases=home.leases,
        clock=home.clock,
    )
