"""What the orchestrator's users get: its live version and the circuit to the model."""

from __future__ import annotations

from sandbox.workload import stack_name
from selfright.adapters.flags import AppConfigFlagBoard
from selfright.domain.serving import FlagPlace
from tests.sandbox.journeys.world import ENVIRONMENT, World

FUNCTION = f"{stack_name(ENVIRONMENT)}-orchestrator"
USERS_RATE = (
    0.3  # analyses a sandbox second: 18 a minute, of which the alarms want ten; each writes five units
)
FLAG = FlagPlace(
    application=stack_name(ENVIRONMENT), environment=ENVIRONMENT, profile="flags", flag="use_fallback_model"
)


def live_version(world: World) -> str:
    alias = world.client("lambda").get_alias(FunctionName=FUNCTION, Name="live")
    return str(alias["FunctionVersion"])


def flags(world: World) -> AppConfigFlagBoard:
    return AppConfigFlagBoard(world.aws, world.outputs["SwitchStrategy"])


def alarms_on(world: World) -> list[str]:
    found = world.client("cloudwatch").describe_alarms(AlarmNamePrefix=FUNCTION, StateValue="ALARM")
    return [alarm["AlarmName"] for alarm in found["MetricAlarms"]]
