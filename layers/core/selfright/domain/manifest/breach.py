"""A broken rule, before it is known which file broke it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from selfright.domain.manifest.layering import Path


@dataclass(frozen=True, slots=True)
class Breach:
    """Where a rule is broken, and the rule as one sentence.

    Two fields that contradict each other carry both views: the overlay may have changed either of them, and
    the one that it changed is the one to complain about.
    """

    path: Path
    rule: str
    other: Breach | None = None


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the nearest known one, or all of them."""
    from difflib import get_close_matches

    known = sorted(known)
    if close := get_close_matches(name, known, n=1):
        return f"; did you mean {close[0]}?"
    return f"; known are {', '.join(known)}" if known else ""
