"""Third stage: judge the opportunity by the scorecard and let the model write the summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import model
from .data_retrieval import Award
from .opportunity import Opportunity
from .scoring import Criterion, scorecard, total
from .settings import Settings

_INSTRUCTION = (
    "You write for a bid decision board. Say in at most five sentences whether to bid, naming the two "
    "criteria that weigh most for it and the two that weigh most against it. Use only what you are given."
)
_LONGEST_SUMMARY = 600  # characters; the stored item stays below 5 KB, which is 5 write units


@dataclass(frozen=True)
class Report:
    """`total`: 0 to 100 points. `awards`: how many past awards it rests on."""

    total: int
    criteria: tuple[Criterion, ...]
    summary: str
    awards: int

    def document(self) -> dict[str, Any]:
        return {
            "total": self.total,
            "criteria": [criterion.document() for criterion in self.criteria],
            "summary": self.summary,
            "awards": self.awards,
        }


def analyse_opportunity(settings: Settings, opportunity: Opportunity, awards: list[Award]) -> Report:
    """Raises ModelUnavailableError."""
    criteria = scorecard(opportunity, awards)
    given = "\n".join(f"{c.name} ({c.weight} %): {c.points} points. {c.rationale}" for c in criteria)
    summary = model.ask(settings, settings.analysis_model, _INSTRUCTION, f"{opportunity.title}\n{given}")
    return Report(total(criteria), tuple(criteria), summary[:_LONGEST_SUMMARY], len(awards))
