"""A contract opportunity as callers send it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .errors import BadRequestError

_REQUIRED = ("id", "title", "agency", "naics", "description")
_LONGEST = 1000  # characters; longer descriptions belong in the document store


@dataclass(frozen=True)
class Opportunity:
    """`naics`: the industry's code. `ceiling`: the most that it may pay, in dollars; often not published."""

    id: str
    title: str
    agency: str
    naics: str
    description: str
    ceiling: int | None = None

    @classmethod
    def parse(cls, document: Any) -> Opportunity:
        """Read the `opportunity` of a request. Raises BadRequestError naming the field."""
        if not isinstance(document, dict):
            raise BadRequestError("opportunity: must be an object")
        for field in _REQUIRED:
            value = document.get(field)
            if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
                raise BadRequestError(f"opportunity.{field}: must be a text of 1 to {_LONGEST} characters")
        ceiling = document.get("ceiling")
        if ceiling is not None and (not isinstance(ceiling, int) or ceiling <= 0):
            raise BadRequestError("opportunity.ceiling: must be a positive whole number of dollars")
        return cls(**{field: document[field] for field in _REQUIRED}, ceiling=ceiling)

    def document(self) -> dict[str, Any]:
        """The same as plain JSON, without what is not known."""
        return {field: value for field, value in asdict(self).items() if value is not None}
