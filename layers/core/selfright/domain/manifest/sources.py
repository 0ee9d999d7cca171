"""What tells of the workload beside its alarms and resources, by its name on AWS."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from selfright.domain.manifest.section import MONITOR_ARN, BudgetName, PhysicalName, Section

MonitorArn = Annotated[str, Field(pattern=MONITOR_ARN)]


class Sources(Section):
    """Signals about these concern the workload; {workload} and {environment} are filled in where a name allows it."""

    stacks: tuple[PhysicalName, ...] = Field(
        default=("{workload}-{environment}",), description="CloudFormation stacks: status and drift."
    )
    applications: tuple[PhysicalName, ...] = Field(
        default=(), description="CodeDeploy applications; those that SAM makes for `stacks` need no mention."
    )
    budgets: tuple[BudgetName, ...] = Field(default=(), description="Names of AWS Budgets.")
    cost_monitors: tuple[MonitorArn, ...] = Field(
        default=(), description="ARNs of Cost Anomaly Detection's monitors."
    )
