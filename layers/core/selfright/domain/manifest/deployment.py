"""How a release of the workload goes out: which functions as one set, in which steps, and what it is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from selfright.domain.manifest.probes import SmokeInvoke, SmokeTest, When
from selfright.domain.manifest.section import (
    EnvironmentVariable,
    Flag,
    Key,
    Percent,
    PhysicalName,
    Seconds,
    Section,
    Text,
)
from selfright.domain.manifest.windows import WeeklyWindow

ALL = 100.0


def _rising_to_all(percents: tuple[float, ...]) -> tuple[float, ...]:
    if any(later <= earlier for earlier, later in pairwise(percents)):
        raise ValueError("must rise from entry to entry")
    if percents[-1] != ALL:
        raise ValueError("must end with 100")
    return percents


StepSeconds = Annotated[int, Field(strict=True, ge=60, le=7200)]
"""How long a step's traffic is judged. CloudWatch counts in minutes, and a release should not last a day."""


class AllAtOnce(Section):
    type: Literal["all-at-once"]


class Linear(Section):
    type: Literal["linear"]
    percent: Annotated[Percent, Field(ge=5)] = Field(description="More of the requests at each step.")
    every_seconds: StepSeconds


class Canary(Section):
    type: Literal["canary"]
    percent: Annotated[Percent, Field(lt=ALL)] = Field(description="Of the requests, before all of them.")
    for_seconds: StepSeconds


class Custom(Section):
    type: Literal["custom"]
    percents: Annotated[
        tuple[Percent, ...], Field(min_length=1, max_length=20), AfterValidator(_rising_to_all)
    ] = Field(description="Of the requests at each step, such as 1, 5, 25, 50, 100.")
    every_seconds: StepSeconds


Strategy = Annotated[AllAtOnce | Linear | Canary | Custom, Field(discriminator="type")]


_CANARY: Any = {
    "type": "canary",
    "percent": 10.0,
    "for_seconds": 600,
}  # a plain mapping, as all_defaults() explains


class Configuration(Section):
    """A configuration in AppConfig's hosted store that a release may replace, by names."""

    application: PhysicalName
    environment: PhysicalName
    profile: PhysicalName = Field(description="Freeform JSON, or feature flags.")
    strategy: Text | None = Field(
        default=None, description="Id of an AppConfig deployment strategy; at once where none is named."
    )


class Deployment(Section):
    """Without `functions` the workload takes no releases through Selfright."""

    functions: tuple[Key, ...] = Field(
        default=(),
        description="Functions that are released as one set, in the order in which their traffic is shifted.",
    )
    judged_on: tuple[Key, ...] = Field(
        default=(),
        description="Those of them whose own requests must prove a release; all where none is named.",
    )
    stack: PhysicalName | None = Field(
        default=None, description="CloudFormation stack that a release's template changes."
    )
    strategy: Strategy = Field(default=_CANARY, description="Where a release asks for none of its own.")
    bake_seconds: StepSeconds = Field(default=300, description="Watched with all requests, before the end.")
    look_seconds: Annotated[Seconds, Field(ge=10, le=600)] = Field(
        default=60, description="Between two looks at alarms, aliases and counts."
    )
    metric_delay_seconds: Annotated[Seconds, Field(le=1200)] = Field(
        default=180,
        description="Until a request counts: the functions' timeout and one to two minutes of CloudWatch's own.",
    )
    max_extensions: Annotated[int, Field(strict=True, ge=0, le=10)] = Field(
        default=2,
        description="How often a step with too few requests to tell is prolonged; then it goes back.",
    )
    regret_seconds: Annotated[int, Field(strict=True, ge=0, le=7200)] = Field(
        default=1800,
        description="For so long after a release is completed, an alarm of the set or a guard takes it back at once.",
    )
    max_error_percent: Percent = Field(default=5.0, description="Never promoted above, whatever ran before.")
    smoke_tests: Mapping[Key, SmokeTest] = Field(
        default={}, description="What must work before and after the requests are shifted."
    )
    synthetic_requests_per_minute: Annotated[int, Field(strict=True, ge=0, le=60)] = Field(
        default=0,
        description="How often each invocation of the smoke tests is sent while a step is prolonged.",
    )
    target_of: Mapping[Key, Key] = Field(
        default={},
        description="Function to the stage of targets.p95_seconds that it must meet; the one of its own name else.",
    )
    approval_required: Flag = Field(
        default=False, description="A release names an approver who is not the one that asks for it."
    )
    required_settings: tuple[EnvironmentVariable, ...] = Field(
        default=(), description="Environment variables that no function of the set may lack."
    )
    backups_within_seconds: Seconds | None = Field(
        default=None,
        description="How old the newest moment may be to which each table of `backup` could be restored.",
    )
    configurations: Mapping[Key, Configuration] = Field(
        default={}, description="What a release may put live beside code, by logical name."
    )
    workflows: tuple[Key, ...] = Field(
        default=(), description="State machines whose alias is shifted with the functions'."
    )
    windows: tuple[WeeklyWindow, ...] = Field(
        default=(), description="When releases may go out; at any time where none is named."
    )

    @property
    def synthetic(self) -> tuple[SmokeInvoke, ...]:
        """What our own requests are: the invocations of the smoke tests, where any are to be sent."""
        tests = self.smoke_tests.values() if self.synthetic_requests_per_minute else ()
        return tuple(test for test in tests if isinstance(test, SmokeInvoke))

    def tested(self, when: When) -> Mapping[str, SmokeTest]:
        """The smoke tests of that moment."""
        return {key: test for key, test in self.smoke_tests.items() if test.when is when}
