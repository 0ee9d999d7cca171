"""Follow-on analysis: will another contract come after this one? From the latest analysis."""

from __future__ import annotations

from typing import Any

_WEIGHTS = {"agency-history": 60, "schedule": 25, "technical-risk": 15}  # percent
_LIKELY = 60  # points


def estimate_follow_on(result: dict[str, Any]) -> dict[str, Any]:
    """`points` 0 to 100 out of the criteria that speak about the agency's habits; `likely` from 60 on."""
    by_name = {criterion["name"]: int(criterion["points"]) for criterion in result["report"]["criteria"]}
    points = sum(weight * by_name[name] for name, weight in _WEIGHTS.items()) // 100
    return {"opportunity_id": result["opportunity_id"], "points": points, "likely": points >= _LIKELY}
