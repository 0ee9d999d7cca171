"""Judge on the alarm's own metric whether the change helped."""

from selfright.actions import ACTIONS
from selfright.domain.steps import Step, StepResult
from selfright.edge.room import room
from selfright.usecases.judge_outcome import judge_outcome
from selfright.wiring import house


@room(Step, calls=lambda: house().aws.calls)
def handler(step: Step) -> StepResult:
    home = house()
    return judge_outcome(
        step.incident_id,
        step.attempt,
        workloads=home.workloads,
        actions=ACTIONS,
        instruments=home,
        store=home.store,
        alarms=home.alarms,
        clock=home.clock,
    )
