"""Carry out the chosen remedy, if the gates still say go."""

from selfright.actions import ACTIONS
from selfright.domain.steps import Step, StepResult
from selfright.edge.room import room
from selfright.usecases.apply_action import apply_action
from selfright.wiring import house


@room(Step, calls=lambda: house().aws.calls)
def handler(step: Step) -> StepResult:
    home = house()
    return apply_action(
        step.incident_id,
        step.attempt,
        workloads=home.workloads,
        runbooks=home.runbooks,
        actions=ACTIONS,
        instruments=home,
        store=home.store,
        leases=home.leases,
        history=home.history,
        releases=home.releases,
        functions=home.functions,
        alarms=home.alarms,
        switches=home.switches,
        clock=home.clock,
    )
