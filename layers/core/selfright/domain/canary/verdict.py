"""What the judge is handed and what it answers: frozen values that replay to the same verdict."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(gt=0, lt=1)]


class Verdict(StrEnum):
    """Only PASS promotes. FAIL rolls back; the other two hold what is there and do `next_step`."""

    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"  # too little to tell
    ERROR = "ERROR"  # the numbers are missing or absurd


class NextStep(StrEnum):
    """What to do where nothing can be told: all there is to choose from."""

    EXTEND = "extend"  # wait at this weight
    RAISE_WEIGHT = "raise weight"  # at this weight waiting takes too long, a larger one does not
    SYNTHETIC_TRAFFIC = "synthetic traffic"  # real calls are too few at any weight
    ASK = "ask"  # a person decides


class Counts(BaseModel):
    """Calls of one version in one stretch of time, and how many of them failed."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    errors: Annotated[int, Field(ge=0, strict=True)]
    invocations: Annotated[int, Field(ge=0, strict=True)]

    @model_validator(mode="after")
    def _no_more_errors_than_calls(self) -> Self:
        if self.errors > self.invocations:
            raise ValueError("errors: must not exceed invocations")
        return self

    def __add__(self, other: Counts) -> Counts:
        return Counts(errors=self.errors + other.errors, invocations=self.invocations + other.invocations)

    @property
    def rate(self) -> float:
        """Errors per call; NaN where there was none."""
        return self.errors / self.invocations if self.invocations else math.nan


class Minute(BaseModel):
    """What both versions did in one minute: the live control, and the canary."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    control: Counts
    canary: Counts


class Plan(BaseModel):
    """What was agreed before the first call: nothing in it may depend on what is seen afterwards.

    A healthy release is rolled back with a probability of at most alpha + alpha_between + alpha_latency.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    gates: Annotated[int, Field(ge=1, le=1000)]  # every look that is planned, extensions too
    alpha: Share = 0.004  # of all gates on counts together
    alpha_between: Share = 0.004  # of the watch between gates
    alpha_latency: Share = 0.002  # of all gates on latency together
    max_error_rate: Share = 0.05  # the service level: more than this never passes


class CountsRuling(BaseModel):
    """A verdict on error counts with everything that it rests on."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    verdict: Verdict
    reason: str
    next_step: NextStep | None = None  # set where the verdict is INCONCLUSIVE or ERROR
    p_value: float | None  # None where nothing could be computed
    threshold: float
    n_min: int  # calls of the canary below which it never passes
    control: Counts | None
    canary: Counts | None
    plan: Plan
    gate: int


class WatchRuling(BaseModel):
    """A verdict between gates: FAIL at once, or INCONCLUSIVE; it never promotes."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    verdict: Verdict
    reason: str
    next_step: NextStep | None = None
    e_value: float | None
    threshold: float  # e-values at or above it fail
    minutes: int
    control: Counts
    canary: Counts
    plan: Plan


class LatencyRuling(BaseModel):
    """A verdict on per-minute latency, in the unit of the points."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    verdict: Verdict
    reason: str
    next_step: NextStep | None = None
    p_value: float | None
    threshold: float
    n_min: int  # points a side below which it is INCONCLUSIVE
    shift: float | None  # Hodges-Lehmann: the median of all differences canary - control
    floor: float | None  # shifts below it do not matter
    control: tuple[float, ...]
    canary: tuple[float, ...]
    plan: Plan
    gate: int


Ruling = CountsRuling | WatchRuling | LatencyRuling
