"""Funding analysis: what an opportunity is likely to pay, year by year, from its latest analysis."""

from __future__ import annotations

from typing import Any

_YEARS = 5  # one base year and four options, the usual shape of a public contract
_FIRST_YEAR_PERCENT = 30  # the base year carries the transition
_DISCOUNT_BY_POINTS = (
    (70, 90),
    (50, 75),
    (0, 60),
)  # from this many points on, percent of the ceiling that is spent


def estimate_funding(result: dict[str, Any]) -> dict[str, Any]:
    """Whole dollars per year; `known` is false where the opportunity has no published ceiling."""
    ceiling = result["opportunity"].get("ceiling")
    if ceiling is None:
        return {"opportunity_id": result["opportunity_id"], "known": False, "years": []}
    points = int(result["report"]["total"])
    share = next(percent for least, percent in _DISCOUNT_BY_POINTS if points >= least)
    expected = int(ceiling) * share // 100
    first = expected * _FIRST_YEAR_PERCENT // 100
    later = (expected - first) // (_YEARS - 1)
    years = [expected - later * (_YEARS - 1), *[later] * (_YEARS - 1)]
    return {"opportunity_id": result["opportunity_id"], "known": True, "years": years}
