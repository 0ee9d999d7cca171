"""Words that have an order: written as text in YAML, compared by where they stand in their class."""

from __future__ import annotations

from enum import StrEnum


class Ranked(StrEnum):
    """A StrEnum whose members are declared from lowest to highest and compare that way, not by spelling."""

    @property
    def rank(self) -> int:
        """Position in the class, from 0."""
        return list(type(self)).index(self)

    def __lt__(self, other: str) -> bool:
        return self.rank < type(self)(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= type(self)(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > type(self)(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= type(self)(other).rank
