"""What a comparison of two exports can come to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from selfright.domain.digest.sums import Problem


class Verdict(StrEnum):
    """What a comparison came to."""

    EQUAL = "equal"
    EMPTY = "empty"  # equal, and nothing in either: it proves nothing of a table that should have items
    DIFFERENT = "different"
    UNUSABLE = "unusable"  # a problem is open: neither equal nor different can be said


class Kind(StrEnum):
    """What became of an item of the source in the copy."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"


@dataclass(frozen=True)
class Difference:
    """One item that is not the same on both sides; its key in DynamoDB JSON."""

    key: dict[str, Any]
    kind: Kind


@dataclass(frozen=True)
class Comparison:
    """The verdict and what it rests on."""

    verdict: Verdict
    source_items: int
    copy_items: int
    differences: tuple[Difference, ...] = ()
    all_located: bool = True  # False: there are more differences than are shown
    exempted: int = 0  # differences left out because the item changed around T
    buckets_reread: int = 0
    problems: tuple[tuple[str, Problem], ...] = ()  # "source" or "copy", and what is wrong with it
