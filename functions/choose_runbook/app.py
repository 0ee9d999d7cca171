"""Take an incident up: find its runbook and ask the gates whether to look closer."""

from selfright.domain.steps import Step, StepResult
from selfright.edge.room import room
from selfright.usecases.choose_runbook import choose_runbook
from selfright.wiring import house


@room(Step, calls=lambda: house().aws.calls)
def handler(step: Step) -> StepResult:
    home = house()
    return choose_runbook(
        step.incident_id,
        workloads=home.workloads,
        shelf=home.shelf,
        store=home.store,
        alarms=home.alarms,
        switches=home.switches,
        leases=home.leases,
        history=home.history,
        releases=home.releases,
        functions=home.functions,
        clock=home.clock,
    )
