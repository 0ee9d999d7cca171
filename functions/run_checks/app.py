"""Run the runbook's checks, with permissions to read and nothing else."""

from selfright.checks import CHECKS
from selfright.domain.steps import Step, StepResult
from selfright.edge.room import room
from selfright.usecases.run_checks import run_checks
from selfright.wiring import house


@room(Step, calls=lambda: house().aws.calls)
def handler(step: Step) -> StepResult:
    home = house()
    return run_checks(
        step.incident_id,
        step.attempt,
        workloads=home.workloads,
        runbooks=home.runbooks,
        checks=CHECKS,
        instruments=home,
        store=home.store,
    )
