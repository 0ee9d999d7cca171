"""The sample workload, our working stand-in of `opportunity-analysis`: its template and its deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

Environment = Literal["development", "staging", "production"]
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)
TEMPLATE = Path(__file__).resolve().parent / "template.yaml"
FUNCTIONS = TEMPLATE.parent / "functions"

# What the alarms mean in production, MISSION: p95 > 30 s is critical, > 15 s a warning.
_LATENCY_CRITICAL_SECONDS = 30
_LATENCY_WARNING_SECONDS = 15
_SETTINGS_TTL_SECONDS = 30


def stack_name(environment: str) -> str:
    """The CloudFormation stack; every physical name begins with it."""
    return f"opportunity-analysis-{environment}"


def stack_parameters(environment: str, scale: float) -> dict[str, str]:
    """What the sandbox deploys the template with.

    Work is not scaled, only the clock is: a request that takes 30 s of sandbox time takes 30 / `scale`
    seconds of the wall, and that is what Lambda's Duration metric counts. So its thresholds shrink by the
    same factor.
    """
    return {
        "Environment": environment,
        "FaultInjection": "enabled",
        "LatencyCriticalMilliseconds": str(round(_LATENCY_CRITICAL_SECONDS * 1000 / scale)),
        "LatencyWarningMilliseconds": str(round(_LATENCY_WARNING_SECONDS * 1000 / scale)),
        "SettingsTtlSeconds": str(max(1, round(_SETTINGS_TTL_SECONDS / scale))),
    }
