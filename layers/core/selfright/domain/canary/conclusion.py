"""What all rulings at a gate come to, and what to do where they come to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from selfright.domain.canary.verdict import CountsRuling, Ruling, Verdict, WatchRuling

_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.PASS)


class NextStep(StrEnum):
    """All there is to choose from where a verdict is INCONCLUSIVE or ERROR. To promote is not among it."""

    EXTEND = "extend"  # wait at this weight
    RAISE_WEIGHT = "raise weight"  # calls are enough, but too few of them go to the canary
    SYNTHETIC_TRAFFIC = "synthetic traffic"  # calls are too few at any weight
    ASK = "ask"  # a person decides


class Traffic(BaseModel):
    """How calls come in at this step of the ramp, and how long one is ready to wait."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    minutes: Annotated[float, Field(gt=0)]  # since the step began
    weight: Annotated[float, Field(gt=0, le=1)]  # the canary's
    largest_weight: Annotated[float, Field(gt=0, le=1)]  # that it may get before it has proven itself
    patience: Annotated[float, Field(ge=0)]  # minutes that the step may still take
    synthetic: bool  # whether the workload has a call that may be made for testing


def together(rulings: Sequence[Ruling]) -> Verdict:
    """The worst verdict. A watch that found nothing has no say: it can stop a release, not promote it.

    Where no other ruling is left, nothing was judged: ERROR.
    """
    said = {r.verdict for r in rulings if not (isinstance(r, WatchRuling) and r.verdict is not Verdict.FAIL)}
    return next((verdict for verdict in _WORST_FIRST if verdict in said), Verdict.ERROR)


def next_step(ruling: CountsRuling, traffic: Traffic) -> NextStep:
    """How to come to a verdict after one that is INCONCLUSIVE or ERROR.

    More weight only for a canary that stays within its service level so far: it meets more people with it.
    """
    control, canary = ruling.control, ruling.canary
    if ruling.verdict is Verdict.ERROR or canary is None:
        return NextStep.ASK
    sides = [side.invocations for side in (control, canary) if side is not None]
    if min(sides) >= ruling.n_min:
        return NextStep.ASK  # calls are enough: both fail too often, or too close to it
    if all(side * (traffic.minutes + traffic.patience) >= ruling.n_min * traffic.minutes for side in sides):
        return NextStep.EXTEND
    calls = sum(sides) * traffic.patience / traffic.minutes  # that are still to come
    behaves = canary.errors <= ruling.plan.max_error_rate * canary.invocations
    if (
        behaves
        and traffic.largest_weight > traffic.weight
        and canary.invocations + calls * traffic.largest_weight >= ruling.n_min
        and (control is None or control.invocations + calls * (1 - traffic.largest_weight) >= ruling.n_min)
    ):
        return NextStep.RAISE_WEIGHT
    return NextStep.SYNTHETIC_TRAFFIC if traffic.synthetic else NextStep.ASK
