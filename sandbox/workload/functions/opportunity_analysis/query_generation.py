"""First stage: turn an opportunity into a query over past awards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from . import model
from .opportunity import Opportunity
from .settings import Settings

_INSTRUCTION = (
    "You choose search terms for a table of past public contract awards. Answer with a JSON array of one "
    "to three lower-case words that describe the work, and with nothing else."
)
COLUMNS = ("agency", "recipient", "amount", "awarded_on", "description")
_MOST_WORDS = 3
_SHORTEST_WORD = 5  # characters; shorter ones in a title are mostly filler


@dataclass(frozen=True)
class AwardsQuery:
    """An Athena statement and the values of its question marks, in order."""

    statement: str
    values: tuple[str, ...]

    @classmethod
    def of(cls, document: dict[str, Any]) -> AwardsQuery:
        return cls(document["statement"], tuple(document["values"]))

    def document(self) -> dict[str, Any]:
        return {"statement": self.statement, "values": list(self.values)}


def generate_query(settings: Settings, opportunity: Opportunity) -> AwardsQuery:
    """Let the model name the search terms; where it names none of use, take the title's long words."""
    answer = model.ask(
        settings, settings.query_model, _INSTRUCTION, f"{opportunity.title}\n{opportunity.description}"
    )
    words = _words_of(answer) or _words_of_title(opportunity.title)
    # The model's words are only ever values of the statement, never a part of it.
    likes = " OR ".join("lower(description) LIKE ?" for _ in words)
    statement = (
        f"SELECT {', '.join(COLUMNS)} FROM awards "  # noqa: S608 - fixed text only
        f"WHERE naics = ? AND ({likes}) ORDER BY awarded_on DESC LIMIT 20"
    )
    return AwardsQuery(statement, (_quoted(opportunity.naics), *(_quoted(f"%{word}%") for word in words)))


def _words_of(answer: str) -> list[str]:
    try:
        words = json.loads(answer)
    except ValueError:
        return []
    if not isinstance(words, list):
        return []
    return [word.lower() for word in words if isinstance(word, str) and word.isalnum()][:_MOST_WORDS]


def _words_of_title(title: str) -> list[str]:
    words = [word.lower() for word in title.split() if word.isalnum() and len(word) >= _SHORTEST_WORD]
    return words[:_MOST_WORDS] or ["services"]


def _quoted(value: str) -> str:
    """Athena reads execution parameters as SQL literals, so a text brings its own quotes."""
    return "'" + value.replace("'", "''") + "'"
