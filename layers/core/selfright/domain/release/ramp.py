"""From a strategy to the steps of a release: which share of the requests for how long."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import count, takewhile

from pydantic import BaseModel, ConfigDict, Field

from selfright.domain.manifest import AllAtOnce, Canary, Custom, Deployment, Linear, Strategy

# Seconds. Longer than a working day nobody follows it, and `deploy` must outlast it (statemachines/deploy.asl.json).
LONGEST_RELEASE = 86_400
# An execution's history has 25,000 events: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MOST_LOOKS = 2000
MOST_JUDGED = (
    1000  # each look has its share of alpha (domain/canary/verdict.py): more would leave nothing to see with
)


class Rung(BaseModel):
    """One step: the new versions get `percent` of the requests, and `seconds` of that are judged."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    percent: float = Field(gt=0, le=100)
    seconds: int = Field(gt=0)

    @property
    def whole(self) -> bool:
        """All requests go to the new versions: nobody is left to compare with at the same time."""
        return self.percent == 100  # noqa: PLR2004 - percent

    @property
    def share(self) -> float:
        """As the alias wants it, 0 to 1."""
        return round(self.percent / 100, 6)

    @property
    def span(self) -> timedelta:
        return timedelta(seconds=self.seconds)


def ramp(strategy: Strategy, deployment: Deployment) -> tuple[Rung, ...]:
    """The steps in their order. The last one is always all of the requests, for as long as the bake takes."""
    match strategy:
        case AllAtOnce():
            shares: list[float] = []
            seconds = 0
        case Canary():
            shares, seconds = [strategy.percent], strategy.for_seconds
        case Linear():
            steps = (strategy.percent * n for n in count(1))
            shares, seconds = list(takewhile(lambda share: share < 100, steps)), strategy.every_seconds  # noqa: PLR2004
        case Custom():
            shares, seconds = list(strategy.percents[:-1]), strategy.every_seconds
    partial = (Rung(percent=share, seconds=seconds) for share in shares)
    return (*partial, Rung(percent=100, seconds=deployment.bake_seconds))


def too_long(rungs: tuple[Rung, ...], deployment: Deployment) -> str | None:
    """Why these steps, each prolonged as often as it may be, are more than a release may take; None where they fit."""
    prolonged = sum(rung.seconds for rung in rungs) * (1 + deployment.max_extensions)
    seconds = prolonged + len(rungs) * deployment.metric_delay_seconds
    if seconds > LONGEST_RELEASE:
        hours = LONGEST_RELEASE // 3600
        return (
            f"must be over within {hours} hours with every step prolonged (would take {seconds / 3600:.0f})"
        )
    # Requests of our own before a look make it twice as many events.
    most = MOST_LOOKS // 2 if deployment.synthetic else MOST_LOOKS
    if seconds / deployment.look_seconds > most:
        looks = round(seconds / deployment.look_seconds)
        return f"must need at most {most} looks (would need {looks}: see deployment.look_seconds)"
    gates = len(rungs) * (1 + deployment.max_extensions)
    judged = max(gates, level_looks(rungs, deployment)) * len(deployment.functions)
    if judged > MOST_JUDGED:
        return f"must be judged at most {MOST_JUDGED} times, all functions together (would be {judged} times)"
    return None


def level_looks(rungs: tuple[Rung, ...], deployment: Deployment) -> int:
    """How often a function is looked at while all requests go to its new version, at most."""
    longest = (1 + deployment.max_extensions) * rungs[-1].seconds + deployment.metric_delay_seconds
    return math.ceil(longest / deployment.look_seconds) + 1
