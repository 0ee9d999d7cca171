"""What the judge is handed and what it answers: frozen values that replay to the same verdict."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(gt=0, lt=1)]


class Verdict(StrEnum):
    """Only PASS promotes, only FAIL rolls back; on the other two see `next_step`."""

    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"  # too little to tell
    ERROR = "ERROR"  # the numbers are missing or absurd


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

    def __str__(self) -> str:
        return f"{self.errors}/{self.invocations}"

    @property
    def rate(self) -> float:
        """Errors per call; NaN, which no comparison holds for, where there was no call."""
        return self.errors / self.invocations if self.invocations else math.nan


class Minute(BaseModel):
    """What both versions did in one minute at one step of the ramp, that is, at one weight."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    step: int
    control: Counts
    canary: Counts


class LatencyPoint(BaseModel):
    """One version's latency in one minute, in any unit; `cold_start` where an environment was initialised in it."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    value: float
    cold_start: bool = False


class Plan(BaseModel):
    """What was agreed before the first call: nothing in it may depend on what is seen afterwards.

    A release no worse than the live version is rolled back with a probability of at most the four alphas together
    (Bonferroni: whatever the tests have to do with each other), by default 1 %. Each is split evenly over the gates,
    but for the watch, which holds at any time. Why so: docs/decisions/0010.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    gates: Annotated[int, Field(ge=1, le=1000)]  # every look that is planned at a gate, extensions too
    alpha: Share = 0.001  # canary against control, all gates together
    alpha_level: Share = 0.001  # canary against the service level, all gates together
    alpha_latency: Share = 0.001  # all gates together
    alpha_watch: Share = 0.007  # between gates
    max_error_rate: Share = 0.05  # the service level: whoever fails more often never passes
    latency_floor: Share = 0.1  # slower by less than this share of the control's median does not matter

    def unplanned(self, gate: int) -> str | None:
        """Why there must be no look number `gate`; None where it was planned, from 1."""
        if 1 <= gate <= self.gates:
            return None
        return f"gate {gate} is none of the {self.gates} planned: no alpha is left for it"


class CountsRuling(BaseModel):
    """A verdict on error counts at a gate, with everything that it rests on."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    verdict: Verdict
    reason: str
    p_value: float | None  # None where there was nothing to compute it from
    threshold: float  # p-values at or below it fail
    n_min: int  # calls a side below which nothing passes
    control: Counts | None
    canary: Counts | None
    plan: Plan
    gate: int


class WatchRuling(BaseModel):
    """A verdict between gates: FAIL at once, else INCONCLUSIVE. It can stop a release, never promote it."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    verdict: Verdict
    reason: str
    e_value: float  # the largest so far
    threshold: float  # e-values at or above it fail
    minutes: tuple[Minute, ...]
    plan: Plan


class LatencyRuling(BaseModel):
    """A verdict on latency at a gate, in the unit of the points."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    verdict: Verdict
    reason: str
    p_value: float | None
    threshold: float
    n_min: int  # points a side below which it is INCONCLUSIVE
    shift: float | None  # Hodges-Lehmann: the median of all differences canary - control
    floor: float | None  # a smaller shift does not matter
    control: tuple[LatencyPoint, ...]
    canary: tuple[LatencyPoint, ...]
    plan: Plan
    gate: int


Ruling = CountsRuling | WatchRuling | LatencyRuling
